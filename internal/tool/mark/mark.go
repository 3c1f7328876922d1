// Package mark keeps the ETag of the object that a file was in an extended attribute of the file.
package mark

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// attribute is the extended attribute. All tools have the same one, so that each knows what another
// has downloaded.
const attribute = "user.s3get"

// Available returns why the file system of a file cannot have marks, or nil.
func Available(name string) error { return setAttribute(name, attribute, "") }

// Set notes the ETag of a file's object, with the size and time that the file has now: when they
// have changed, so may its bytes, and the ETag counts no more.
func Set(name, etag string) {
	if info, err := os.Stat(name); err == nil && etag != "" {
		// Without the attribute the object is downloaded again, or compared by size and time.
		_ = setAttribute(name, attribute, stamp(info)+etag)
	}
}

// Get returns the ETag of a file whose size and time are as when it was marked, or "".
func Get(name string, info fs.FileInfo) string {
	text, err := getAttribute(name, attribute)
	if err != nil {
		return ""
	}
	etag, ok := strings.CutPrefix(text, stamp(info))
	if !ok {
		return ""
	}
	return etag
}

// stamp begins the attribute: the version of its format, the size, and the time in ns.
func stamp(info fs.FileInfo) string {
	return fmt.Sprintf("1 %d %d ", info.Size(), info.ModTime().UnixNano())
}
