package fence_test

import (
	"testing"

	"github.com/s3processpool/processpool/internal/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
