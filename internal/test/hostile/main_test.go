package hostile_test

import (
	"flag"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
)

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "8") // the parallel tests wait more than they compute
	harness.Main(m)
}
