package config

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A decoder turns nodes into objects and reports what does not fit.
type decoder struct {
	*report
	lines  [][]rune // of the file
	base   base
	secret bool // a secret stands in the file itself
}

// mapping reads the mapping n, which may hold keys. Nothing at all is an empty mapping: all its
// keys may be commented out.
func (d *decoder) mapping(n *yaml.Node, at position, keys []key) (object, bool) {
	o := object{position: at, entries: map[string]entry{}}
	if isNull(n) {
		return o, true
	}
	if n.Kind != yaml.MappingNode {
		d.wrong(at, "found %s, expected keys with values: %s …", nature(n), strings.Join(names(keys)[:min(3, len(keys))], ", "))
		return o, false
	}
	for pair := range slices.Chunk(n.Content, 2) {
		if !d.pair(o, pair[0], pair[1], keys) {
			o.partial = true
		}
	}
	return o, true
}

// pair reads one key and its value into o. It tells whether the key was a word.
func (d *decoder) pair(o object, name, value *yaml.Node, keys []key) bool {
	at := position{name.Line, name.Column, o.key}
	if !d.plainKey(name, at) {
		return false
	}
	k, ok := lookup(keys, name.Value)
	if !ok {
		d.unknown(o, name, keys)
		return true
	}
	at.key = join(o.key, k.name)
	if first, twice := o.entries[k.name]; twice {
		d.wrong(at, "is given twice; the first is in line %d", first.line)
		return true
	}
	if onKeysLine(value) {
		at.line, at.column = value.Line, value.Column
	}
	o.entries[k.name] = entry{at, d.value(k, at, name, value)}
	return true
}

// onKeysLine tells whether n is the place to point at. Nothing has none, and lists and mappings
// below their key begin with something else.
func onKeysLine(n *yaml.Node) bool {
	block := n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle == 0
	return !block && !isNull(n)
}

// plainKey tells whether a key is a word, and nothing of YAML's machinery.
func (d *decoder) plainKey(name *yaml.Node, at position) bool {
	switch {
	case d.machinery(name, at):
		return false
	case name.Tag == "!!merge":
		d.wrong(at, "merge keys (<<) are not understood; what several accounts share goes into defaults")
		return false
	case name.Kind != yaml.ScalarNode:
		d.wrong(at, "found %s, expected a key", nature(name))
		return false
	}
	return true
}

// machinery reports anchors, aliases and tags. They are more often values that want quotes.
func (d *decoder) machinery(n *yaml.Node, at position) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		d.wrong(at, `is an alias (*), which popsync does not understand; quote a value that begins with "*"`)
	case n.Anchor != "":
		d.wrong(at, `is an anchor (&), which popsync does not understand; quote a value that begins with "&"`)
	case n.Style&yaml.TaggedStyle != 0, d.at(n) == '!':
		d.wrong(at, `is a tag (!), which popsync does not understand; quote a value that begins with "!"`)
	default:
		return slices.ContainsFunc(elements(n), func(e *yaml.Node) bool {
			return d.machinery(e, position{e.Line, e.Column, at.key})
		})
	}
	return true
}

// elements are those of a list of single values. What is in mappings is looked at there.
func elements(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(n.Content), func(e *yaml.Node) bool { return e.Kind == yaml.MappingNode })
}

// at is the character where n begins. A lone "!" in front of a value leaves no other trace.
func (d *decoder) at(n *yaml.Node) rune {
	if n.Line < 1 || n.Line > len(d.lines) || n.Column < 1 || n.Column > len(d.lines[n.Line-1]) {
		return 0
	}
	return d.lines[n.Line-1][n.Column-1]
}

// value reads what was given for k; nil if that is wrong.
func (d *decoder) value(k key, at position, name, n *yaml.Node) any {
	switch {
	case d.machinery(n, at):
		return nil
	case k.list:
		return orNil(d.list(n, at, k.keys))
	case k.keys != nil:
		return orNil(d.mapping(n, at, k.keys))
	case isNull(n):
		d.wrong(at, "is empty; expected %s%s", k.kind.expects, hashHint(name, n))
		return nil
	}
	return d.single(k, at, n)
}

// orNil is v where it is good, and nil otherwise.
func orNil[T any](v T, good bool) any {
	if !good {
		return nil
	}
	return v
}

// hashHint tells of a value that is a comment for YAML.
func hashHint(name, n *yaml.Node) string {
	if name.LineComment == "" && n.LineComment == "" {
		return ""
	}
	return "; quote a value that begins with #"
}

// single reads a value that has no keys of its own.
func (d *decoder) single(k key, at position, n *yaml.Node) any {
	if k.kind.secret || k.kind.holds != nil {
		d.hash(n, at)
	}
	v, err := k.kind.read(d.base, n)
	if k.kind.secret || err == nil && k.kind.holds != nil && k.kind.holds(v) {
		d.secret = true
	}
	switch written := asWritten(n); {
	case !k.when.limited && err == nil:
		return v
	case k.when.limited && slices.Contains(k.when.values, written):
		return v
	case err != nil:
		d.wrong(at, "%v", err)
	case k.when.key || !k.kind.public:
		d.wrong(at, "is not available in this version of popsync")
	default:
		d.wrong(at, "%s is not available in this version of popsync; %s", written, onlyThese(k.when.values))
	}
	return nil
}

func onlyThese(values []string) string {
	if len(values) == 1 {
		return "only " + values[0] + " is"
	}
	return "only " + andList(values) + " are"
}

// asWritten is a value as the table writes it.
func asWritten(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) == 0:
		return "[]"
	case n.Tag == "!!bool":
		return strings.ToLower(n.Value)
	}
	return n.Value
}

// hash looks for a # that cuts a password short: "a #b" is an a and a comment. With a blank
// behind the # a comment is what was meant, most likely.
func (d *decoder) hash(n *yaml.Node, at position) {
	plain := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	if !plain || n.LineComment == "" {
		return
	}
	if strings.HasPrefix(n.LineComment, "# ") {
		d.warn(at, "ends at the #; quote it if what follows belongs to it")
		return
	}
	d.wrong(at, `ends at the #, which begins a comment; quote the password, or write the comment as "# …"`)
}

// list reads the list of mappings n.
func (d *decoder) list(n *yaml.Node, at position, keys []key) ([]object, bool) {
	if isNull(n) {
		return nil, true
	}
	if n.Kind != yaml.SequenceNode {
		d.wrong(at, "found %s, expected a list: each account begins with a dash, - name: …", nature(n))
		return nil, false
	}
	list := make([]object, len(n.Content))
	for i, element := range n.Content {
		at := position{element.Line, element.Column, fmt.Sprintf("%s[%d]", at.key, i)}
		list[i] = object{position: at}
		switch {
		case d.machinery(element, at):
		case isNull(element):
			d.wrong(at, "is empty; take out the dash or write an account behind it")
		default:
			if o, ok := d.mapping(element, at, keys); ok {
				list[i] = o
			}
		}
	}
	return list, true
}

func join(within, name string) string {
	if within == "" {
		return name
	}
	return within + "." + name
}
