package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"popsync/fetch"
)

// C7: the documented schema.
func TestFetchJSON(t *testing.T) {
	var b strings.Builder
	out := output{}
	out.stdout.Writer = &b
	results := []fetch.Result{
		{Account: "work", New: 2, Bytes: 3000, Deleted: 1, Left: 4},
		{Account: "home", Err: &fetch.Error{
			Account: "home", Server: "pop.example.org:995", Step: "log in", Kind: fetch.Refused,
			Err: errors.New("server says \"no\x07 <&>\""), Hint: "ask",
		}},
	}
	err := reportFetch(fetchOptions{json: true}, out, results, fetchError(t.Context(), results, false))
	if status := statusOf(explain(err)); status != 77 {
		t.Errorf("status %d", status)
	}
	want := `{"schema":1,"command":"fetch","exit":77,"accounts":[` +
		`{"name":"work","new":2,"bytes":3000,"deleted":1,"left":4},` +
		`{"name":"home","new":0,"bytes":0,"deleted":0,"left":0,"error":` +
		`{"code":"refused","step":"log in","message":"server says \"no\\x07 <&>\"","hint":"ask"}}]}` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestJSONOfACommandThatDidNotBegin(t *testing.T) {
	var b strings.Builder
	err := withJSON(&b, "fetch", both(usagef("one"), usagef("two")))
	if err == nil {
		t.Error("the error is gone")
	}
	want := `{"schema":1,"command":"fetch","exit":64,"accounts":[],"error":{"code":"usage","message":"one\ntwo"}}` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
