package list

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine is the length in bytes from which on a line is refused: a key has at most 1024.
const maxLine = 1 << 20

// lineReader reads lines of a URL and, if it is not to be named by its key, a file. Words are in
// quotes if they have spaces. A line may begin with cp or get, as in s5cmd's lists.
type lineReader struct {
	in  *bufio.Reader
	raw bool // * and ? are characters of the key
	n   int
}

func (r *lineReader) Next() (Item, error) {
	for {
		line, err := readLine(r.in)
		if err != nil {
			return Item{}, at(r.n+1, err)
		}
		r.n++
		words, err := split(line)
		switch {
		case err != nil:
			return Item{}, at(r.n, err)
		case len(words) == 0:
			continue
		case len(words) > 1 && (words[0] == "cp" || words[0] == "get"):
			words = words[1:]
		}
		if !strings.HasPrefix(words[0], Scheme) {
			return Item{}, at(r.n, fmt.Errorf("%q is not of the form s3://bucket/key", words[0]))
		}
		if len(words) > 2 {
			return Item{}, at(r.n, fmt.Errorf("%q is one word too many: put names with spaces in quotes", words[2]))
		}
		bucket, key, err := ParseURL(words[0])
		if err == nil && key == "" {
			err = fmt.Errorf("%q has no key", words[0])
		}
		if err != nil {
			return Item{}, at(r.n, err)
		}
		if !r.raw && strings.ContainsAny(key, "*?") {
			return Item{}, at(r.n, fmt.Errorf("%s has a wildcard, which a list cannot have: use s3get get, or --raw for a key that holds it", words[0]))
		}
		it := Item{Bucket: bucket, Key: key, Size: -1}
		if len(words) == 2 {
			it.File = words[1]
		}
		return it, nil
	}
}

// at adds the number of a line to an error that is not the end of the list.
func at(line int, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// readLine returns the next line without its end. A last line without an end is a line.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return "", fmt.Errorf("it is longer than %d bytes", maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0, err == nil:
			return strings.TrimRight(string(line), "\r\n"), nil
		}
		return "", err
	}
}

// split returns the words of a line, as a shell would: quotes keep spaces together, and a backslash
// keeps the next character. A # at the beginning of a word begins a comment.
func split(line string) (words []string, err error) {
	var word strings.Builder
	quote, inside := rune(0), false
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case quote != '\'' && r == '\\' && i+1 < len(runes):
			i++
			inside = true
			word.WriteRune(runes[i])
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == '#' && !inside:
			return words, nil
		case r == ' ' || r == '\t':
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		default:
			inside = true
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote has no end")
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}
