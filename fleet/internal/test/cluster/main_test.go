// Package cluster tests s3fleet with a NATS cluster, which has the configuration of docs/fleet.md.
package cluster

import (
	"testing"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
)

func TestMain(m *testing.M) { site.Main(m) }
