package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/s3processpool/processpool/fleet"
)

// released is the version that the release script sets; "": Go's own.
var released string

// versionLine returns what s3fleet --version prints.
func versionLine() string {
	version := released
	if info, ok := debug.ReadBuildInfo(); ok {
		version = cmp.Or(version, info.Main.Version)
	}
	return fmt.Sprintf("%s, messages of version %d, %s %s/%s", cmp.Or(version, "(unknown)"), fleet.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
