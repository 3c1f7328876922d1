// Package figures measures what a long queue costs. go test runs it with few objects, to see that it
// works; for the figures of a million:
//
//	go test ./internal/test/figures -figures -v -timeout 30m
package figures

import (
	"testing"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
)

func TestMain(m *testing.M) { site.Main(m) }
