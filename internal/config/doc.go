// Package config reads popsync's configuration, a YAML file.
//
// A file is read in four steps, each with its own file of code: yaml.go turns text into nodes,
// decode.go holds the nodes against the table of keys (keys.go), merge.go puts the defaults
// under each account, check.go and its neighbours look for what is missing or contradicts itself.
// Every step goes on after an error, so that all of them are told at once, with file, line, column
// and key.
//
// No error repeats a value unless it is of a form that cannot be a secret.
package config
