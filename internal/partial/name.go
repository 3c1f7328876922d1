package partial

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"

	"github.com/s3processpool/processpool/internal/sink"
)

// Suffixes of the names of a partial file and its journal.
const (
	PartialSuffix = ".part"
	JournalSuffix = PartialSuffix + ".journal"
)

// PartialName returns the name of the partial file of a download to path, which is that of a
// sink.Target: a dot, the file's name and ".part", in the same directory. The name is the same for
// every download to path. A name that is too long for 255 bytes with either suffix is cut between
// characters and gets "~" and a hash of the whole name in 16 hex digits.
func PartialName(path string) string { return stem(path) + PartialSuffix }

// JournalName returns the name of the journal of a download to path. It is PartialName and
// ".journal".
func JournalName(path string) string { return stem(path) + JournalSuffix }

// stem returns the two names without their suffixes.
func stem(path string) string {
	const room = sink.MaxName - len(".") - len(JournalSuffix)
	dir, base := filepath.Split(path)
	if len(base) > room {
		sum := sha256.Sum256([]byte(base))
		hash := "~" + hex.EncodeToString(sum[:8])
		base = sink.Shorten(base, room-len(hash)) + hash
	}
	return dir + "." + base
}

// IsReserved reports whether a file name, without its directory, is one that a partial file or a
// journal can have. It ignores case, as some file systems do.
func IsReserved(base string) bool {
	base = strings.ToLower(base)
	return strings.HasPrefix(base, ".") &&
		(strings.HasSuffix(base, PartialSuffix) || strings.HasSuffix(base, JournalSuffix))
}
