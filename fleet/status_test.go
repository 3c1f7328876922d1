package fleet

import "testing"

func TestTimeLeft(t *testing.T) {
	for _, c := range []struct {
		status Status
		want   int64
	}{
		{Status{Complete: true, PlannedBytes: 300, DoneBytes: 100, BytesPerSecond: 10}, 20},
		{Status{PlannedBytes: 300, BytesPerSecond: 10}, -1},                     // more may be planned
		{Status{Complete: true, PlannedBytes: 300}, -1},                         // nothing comes
		{Status{Complete: true, PlannedBytes: 1 << 40, BytesPerSecond: 1}, -1},  // nearly nothing comes
		{Status{Complete: true, Ended: true, PlannedBytes: 9, DoneBytes: 1}, 0}, // the rest is dead
		{Status{Complete: true, PlannedBytes: 9, DoneBytes: 9, BytesPerSecond: 1}, 0},
	} {
		if got := c.status.left(); got != c.want {
			t.Errorf("%+v: got %d, want %d", c.status, got, c.want)
		}
	}
}
