package tree

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// skeleton returns the same string for any two segments that a file system may equate. It is
// coarser than any of them, as no two of them agree: it removes everything that normalisation
// composes or decomposes (non-ASCII characters, and letters followed by a combining mark) and
// everything that is ignored, and converts the rest to lower case.
//
// Trailing dots and spaces are dropped by FAT and by Windows servers.
func skeleton(segment string) string {
	segment = strings.Map(func(r rune) rune { // makes it valid UTF-8, too
		if ignored(r) {
			return -1
		}
		return r
	}, segment)
	var b strings.Builder
	for i, r := range segment {
		next, _ := utf8.DecodeRuneInString(segment[i+utf8.RuneLen(r):])
		plain := string(unicode.ToLower(r))
		if r >= utf8.RuneSelf {
			plain = folded[r]
		}
		if unicode.Is(unicode.Mn, next) && plain != "" {
			plain = plain[:len(plain)-1]
		}
		b.WriteString(plain)
	}
	return strings.TrimRight(b.String(), ". ")
}

// folded has the non-ASCII characters that are equal to ASCII ones when case is ignored
// (https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt), or by normalisation.
var folded = map[rune]string{
	'\u00df': "ss", '\u1e9e': "ss", '\u017f': "s", '\u0131': "i", '\u0149': "n", '\u1e9a': "a",
	'\ufb00': "ff", '\ufb01': "fi", '\ufb02': "fl", '\ufb03': "ffi", '\ufb04': "ffl",
	'\ufb05': "st", '\ufb06': "st",
	'\u212a': "k", '\u037e': ";", '\u1fef': "`",
}

// ignored reports whether a character makes no difference between names on some file systems
// (Default_Ignorable_Code_Point of Unicode).
func ignored(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		unicode.Is(unicode.Variation_Selector, r)
}
