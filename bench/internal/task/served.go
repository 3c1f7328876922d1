package task

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Served is what a run of cmd/neighbour has shown.
type Served struct {
	Requests int     `json:"requests"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	P999     float64 `json:"p999_ms"`
	Max      float64 `json:"max_ms"`
	GC       uint32  `json:"gc_cycles"`
	CPU      float64 `json:"application_cpu_s"` // of the service's process alone
	Seconds  float64 `json:"seconds"`
	AllCPU   float64 `json:"all_cpu_s"` // of all processes; the program does not know it
}

const servedMark = "neighbour "

// Print prints the figures for ParseServed.
func (s Served) Print() error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s%s\n", servedMark, text)
	return err
}

// ParseServed finds the figures in the output of a program.
func ParseServed(output string) (s Served, err error) {
	for line := range strings.Lines(output) {
		if text, ok := strings.CutPrefix(line, servedMark); ok {
			err = json.Unmarshal([]byte(text), &s)
			return s, err
		}
	}
	return s, fmt.Errorf("it printed no figures: %q", output)
}
