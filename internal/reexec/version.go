package reexec

import "strings"

// Version is the library's, as in the user agent of its requests.
const Version = "0.1.0"

// modulePath is the module's path, without the suffix of a major version from 2 on.
const modulePath = "github.com/s3processpool/processpool"

// current is the major version in Version. Two that differ may be in one program, because their
// modules have different paths (https://go.dev/ref/mod#major-version-suffixes).
var current, _, _ = strings.Cut(Version, ".")

// pathOf returns the path of the module of a major version.
func pathOf(major string) string {
	if major == "0" || major == "1" {
		return modulePath
	}
	return modulePath + "/v" + major
}
