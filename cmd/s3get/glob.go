package main

import (
	"errors"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// globs is the value of a flag that may be repeated.
type globs []string

func (*globs) Type() string     { return "glob" }
func (g *globs) String() string { return strings.Join(*g, " ") }

func (g *globs) Set(text string) error {
	switch {
	case text == "":
		return errors.New("the glob is empty")
	case !doublestar.ValidatePattern(text):
		return errors.New(`a class or a group has no end: write [a-z] or {a,b}, or \[ or \{ for the character`)
	}
	*g = append(*g, text)
	return nil
}

// match reports whether one of the globs matches rest, a key without the prefix. A glob without a
// slash is compared with the last part of the key.
func (g globs) match(rest string) bool {
	for _, glob := range g {
		name := rest
		if !strings.Contains(glob, "/") {
			name = path.Base(rest)
		}
		if doublestar.MatchUnvalidated(glob, name) {
			return true
		}
	}
	return false
}

// wildcard returns the pattern of a key that has a wildcard, or "". As in s5cmd, * stands for any
// characters, slashes too, and ? for one; no other character is special.
func wildcard(key string) string {
	if !strings.ContainsAny(key, "*?") {
		return ""
	}
	return key
}

// matchKey compares a key with a pattern of wildcard. For doublestar a slash ends what * stands
// for: both are compared without slashes.
func matchKey(pattern, key string) bool {
	escaped := strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`).Replace(pattern)
	flat := strings.NewReplacer("/", "\x00") // no key has it: XML cannot
	return doublestar.MatchUnvalidated(flat.Replace(escaped), flat.Replace(key))
}

// literal returns what every key that matches the pattern begins with.
func literal(pattern string) string { return pattern[:strings.IndexAny(pattern, "*?")] }
