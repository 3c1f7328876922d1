package task

import (
	"fmt"
	"strconv"
	"strings"
)

// Bytes is a size that implements flag.Value: 8388608, 8MiB or 8M.
type Bytes int64

var units = []struct {
	name string
	size int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// String formats the size in the largest unit that gives a whole number.
func (b Bytes) String() string {
	for _, u := range units {
		if int64(b) >= u.size && int64(b)%u.size == 0 {
			return fmt.Sprintf("%d %s", int64(b)/u.size, u.name)
		}
	}
	return strconv.FormatInt(int64(b), 10) + " B"
}

// Set parses s. The first letter of a unit is sufficient.
func (b *Bytes) Set(s string) error {
	number := strings.TrimRight(s, "TGMKiB ")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("invalid size %q: want bytes, or a size such as 64KiB, 8MiB or 1GiB", s)
	}
	unit := strings.TrimSpace(s[len(number):])
	if unit == "" {
		unit = "B"
	}
	for _, u := range units {
		if unit == u.name || unit == u.name[:1] {
			*b = Bytes(n * u.size)
			return nil
		}
	}
	return fmt.Errorf("%q has an unknown unit", s)
}
