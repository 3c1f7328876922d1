package sink

import (
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"regexp"
	"unicode/utf8"
)

const (
	// MaxName is how many bytes a file name can have on nearly all file systems (NAME_MAX).
	MaxName = 255
	// maxShortName is for file systems that allow less. The smallest limit in use is that of
	// eCryptfs, whose encrypted and encoded names must fit NAME_MAX: 143 bytes
	// (https://bugs.launchpad.net/ecryptfs/+bug/344878).
	maxShortName = 140
)

var temporary = regexp.MustCompile(`^.+\.[0-9a-f]{8}$`)

// IsTemporary reports whether a file name, without its directory, is one that Create can choose.
// Other programs may use such names too.
func IsTemporary(base string) bool { return temporary.MatchString(base) }

// temporaryName returns a random name beside the destination: the destination's name, shortened if
// necessary, a dot and 8 hex digits. It has at most limit bytes.
func (t Target) temporaryName(limit int) string {
	var random [4]byte
	rand.Read(random[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	suffix := "." + hex.EncodeToString(random[:])
	dir, base := filepath.Split(t.path)
	return dir + Shorten(base, limit-len(suffix)) + suffix
}

// Shorten cuts s to at most limit bytes. It does not cut inside a UTF-8 character, because macOS
// rejects names that are not UTF-8. If s is not UTF-8, Shorten cuts at any byte close to the limit.
func Shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for cut := limit; cut > limit-utf8.UTFMax && cut >= 0; cut-- {
		if utf8.RuneStart(s[cut]) {
			return s[:cut]
		}
	}
	return s[:limit]
}
