package main

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// globs is a flag.Value for a flag that may be repeated.
type globs []glob

// glob matches a key without the prefix, or only the last part of the key.
type glob struct {
	text string
	re   *regexp.Regexp
	last bool
}

func (g *globs) String() string { return "" }

func (g *globs) Set(text string) error {
	one, err := newGlob(text)
	*g = append(*g, one)
	return err
}

// match reports whether one of the globs matches.
func (g globs) match(rest string) bool {
	for _, one := range g {
		name := rest
		if one.last {
			name = path.Base(rest)
		}
		if one.re.MatchString(name) {
			return true
		}
	}
	return false
}

func newGlob(text string) (glob, error) {
	if text == "" {
		return glob{}, errors.New("the glob is empty")
	}
	var re strings.Builder
	re.WriteString(`(?s)\A`)
	for rest := text; rest != ""; {
		n, expr, err := token(rest)
		if err != nil {
			return glob{}, err
		}
		re.WriteString(expr)
		rest = rest[n:]
	}
	re.WriteString(`\z`)
	compiled, err := regexp.Compile(re.String())
	if err != nil {
		return glob{}, fmt.Errorf("invalid class: %w", err)
	}
	return glob{text: text, re: compiled, last: !strings.Contains(text, "/")}, nil
}

// token converts the first n bytes of a glob to a regular expression.
func token(s string) (n int, expr string, err error) {
	switch {
	case strings.HasPrefix(s, "**/"):
		return 3, `(?:.*/)?`, nil
	case strings.HasPrefix(s, "**"):
		return 2, `.*`, nil
	case s[0] == '*':
		return 1, `[^/]*`, nil
	case s[0] == '?':
		return 1, `[^/]`, nil
	case s[0] == '\\' && len(s) > 1:
		r := []rune(s[1:])[0]
		return 1 + len(string(r)), regexp.QuoteMeta(string(r)), nil
	case s[0] == '[':
		end := strings.IndexByte(s[1:], ']')
		if end < 1 {
			return 0, "", errors.New(`a class has no end: write [a-z], or \[ for the character`)
		}
		class := strings.ReplaceAll(strings.ReplaceAll(s[1:1+end], `\`, `\\`), `[`, `\[`)
		if class[0] == '!' || class[0] == '^' {
			class = "^/" + class[1:]
		}
		return end + 2, "[" + class + "]", nil
	}
	r := []rune(s)[0]
	return len(string(r)), regexp.QuoteMeta(string(r)), nil
}
