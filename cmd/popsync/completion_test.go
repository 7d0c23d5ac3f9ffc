package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// C9
func TestComplete(t *testing.T) {
	accounts := func(config string) []string {
		if config == "other.yaml" {
			return []string{"other"}
		}
		return []string{"work", "home"}
	}
	for name, tt := range map[string]struct{ in, want string }{
		"nothing typed":              {"", "fetch run check auth log uidl help completion"},
		"a command":                  {"fe", "fetch"},
		"a command behind a flag":    {"-v|c", "check completion"},
		"a flag before the verb":     {"--co", "--config --color"},
		"account names":              {"fetch|", "work home"},
		"not those that are there":   {"fetch|work|", "home"},
		"of the configuration named": {"fetch|--config|other.yaml|", "other"},
		"... with an equals sign":    {"--config=other.yaml|fetch|", "other"},
		"a command without accounts": {"run|", ""},
		"flags of the command":       {"fetch|--d", "--dry-run"},
		"not those of another":       {"run|--d", ""},
		"short flags too":            {"fetch|-v", "-v -vv"},
		"values":                     {"fetch|--color|", "auto always never"},
		"values behind =":            {"fetch|--color=a", "--color=auto --color=always"},
		"files are the shell's":      {"fetch|--config|", ""},
		"behind -- no flags":         {"fetch|--|-", ""},
		"behind -- accounts":         {"fetch|--|w", "work"},
		"topics":                     {"help|e", "environment exit-codes"},
		"shells":                     {"completion|", "bash zsh fish"},
		"an unknown command":         {"fetsh|", ""},
		"a command's commands":       {"auth|", "login status logout token import"},
		"... of which one begins so": {"auth|-q|lo", "login logout"},
		"their accounts":             {"auth|login|", "work home"},
		"one is enough":              {"auth|login|work|", ""},
		"several where several may":  {"auth|status|work|", "home"},
		"their flags":                {"auth|login|--n", "--no-browser --no-input"},
		"their values":               {"auth|login|--flow|p", "paste"},
		"an unknown one of them":     {"auth|logni|", ""},
		"an account, then UIDs":      {"uidl|forget|work|", ""},
		"... which is the first":     {"uidl|forget|", "work home"},
		"two of them":                {"uidl|move|work|", "home"},
		"an account or none":         {"uidl|list|work|", ""},
		"states":                     {"uidl|list|--state|de", "delivered deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range complete(newApp(), strings.Split(tt.in, "|"), accounts) {
				got = append(got, c.text)
			}
			if diff := cmp.Diff(strings.Fields(tt.want), append([]string{}, got...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
