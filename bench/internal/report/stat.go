package report

import (
	"slices"
)

// Stat is the minimum and the median of what several runs gave: on a machine that is not
// always equally fast the two tell different things.
type Stat struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
}

// Of makes a Stat of figures, of which there must be one.
func Of(figures []float64) Stat {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	return Stat{Min: sorted[0], Median: (sorted[(n-1)/2] + sorted[n/2]) / 2}
}

// Over divides the medians.
func (s Stat) Over(other Stat) float64 { return s.Median / other.Median }
