package show

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Size is a flag's value: a number of bytes, with an optional unit.
type Size int64

func (*Size) Type() string { return "size" }

var units = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "kib": 1 << 10, "kb": 1e3,
	"m": 1 << 20, "mib": 1 << 20, "mb": 1e6,
	"g": 1 << 30, "gib": 1 << 30, "gb": 1e9,
	"t": 1 << 40, "tib": 1 << 40, "tb": 1e12,
}

func (s *Size) Set(text string) error {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit, ok := units[strings.ToLower(strings.TrimSpace(text[len(digits):]))]
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil || !ok:
		return errors.New("want a number of bytes, such as 8388608, 8MiB or 64M")
	case n < 1:
		return errors.New("must be at least 1")
	case n > 1<<62/unit:
		return errors.New("larger than any object")
	}
	*s = Size(n * unit)
	return nil
}

func (s Size) String() string { return Human(int64(s)) }

// Human formats a size for people, with at most four digits.
func Human(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for ; value >= 1023.95 && unit < 4; unit++ {
		value /= 1 << 10
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[unit])
}
