package fence_test

import (
	"flag"
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
)

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "4") // the parallel tests wait
	harness.Main(m)
}
