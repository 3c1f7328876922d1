// Package shared tests workers that share one directory, each by a mount of its own, as machines share
// a network file system.
package shared

import (
	"testing"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
)

func TestMain(m *testing.M) { site.Main(m) }
