package config

import (
	"slices"
	"strings"
)

// An object is a mapping of the file that was held against the table of keys.
type object struct {
	position
	entries map[string]entry
	partial bool // some of it could not be understood, so what seems to be missing may be there
}

// An entry is a key that was given, and its value.
type entry struct {
	position
	value any // what its kind reads; an object or []object; nil where the value is wrong, which was told then
}

// inherited tells whether e comes from the defaults and not from the account.
func (e entry) inherited() bool { return strings.HasPrefix(e.key, "defaults.") }

// has tells whether one of keys was given, be it with a wrong value.
func (o object) has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { _, ok := o.entries[k]; return ok })
}

// get returns the value of key in o, otherwise if it was not given or is wrong.
func get[T any](o object, key string, otherwise T) T {
	if v, ok := o.entries[key].value.(T); ok {
		return v
	}
	return otherwise
}

// child is where a key would stand in o.
func (o object) child(key string) position {
	return position{o.line, o.column, join(o.key, key)}
}

// among returns those of keys that were given. What was given as false is not.
func (o object) among(keys ...string) []string {
	var given []string
	for _, k := range keys {
		if o.has(k) && get(o, k, true) {
			given = append(given, k)
		}
	}
	return given
}
