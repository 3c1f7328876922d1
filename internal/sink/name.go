package sink

import (
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"unicode/utf8"
)

const (
	// maxName is NAME_MAX: the bytes a name may have nearly everywhere.
	maxName = 255
	// maxShortName is for file systems that allow less. The least in use is eCryptfs, where a name
	// encrypted and encoded must fit NAME_MAX and so has 143 bytes (https://bugs.launchpad.net/ecryptfs/+bug/344878).
	maxShortName = 140
)

// temporaryName draws a name beside the destination: its own, shortened, a dot and 8 hex digits, of at
// most limit bytes in all.
func (t Target) temporaryName(limit int) string {
	var random [4]byte
	rand.Read(random[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	suffix := "." + hex.EncodeToString(random[:])
	dir, base := filepath.Split(t.path)
	return dir + shorten(base, limit-len(suffix)) + suffix
}

// shorten cuts s to at most limit bytes, not inside a character: macOS refuses names that are not UTF-8.
// Where s is not UTF-8 anyway it is cut somewhere near.
func shorten(s string, limit int) string {
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
