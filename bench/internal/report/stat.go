package report

import (
	"slices"
)

// Stat is the minimum and the median of several runs. Both are useful on a machine whose speed
// varies.
type Stat struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
}

// Of returns the Stat of figures, which must not be empty.
func Of(figures []float64) Stat {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	return Stat{Min: sorted[0], Median: (sorted[(n-1)/2] + sorted[n/2]) / 2}
}

// Over returns the ratio of the medians.
func (s Stat) Over(other Stat) float64 { return s.Median / other.Median }
