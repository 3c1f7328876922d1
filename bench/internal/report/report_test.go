package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestStat(t *testing.T) {
	for _, c := range []struct {
		figures []float64
		want    Stat
	}{
		{[]float64{3}, Stat{3, 3}},
		{[]float64{5, 1, 3}, Stat{1, 3}},
		{[]float64{4, 1, 2, 9}, Stat{1, 3}},
	} {
		if got := Of(c.figures); got != c.want {
			t.Errorf("Of(%v): got %v, want %v", c.figures, got, c.want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	r := Report{
		Case: "case", Title: "title", Date: "2026-01-02", Notes: []string{"a note"},
		Columns: []string{"client", "x"}, Table: [][]string{{"10 × 1", "1.5"}, {"a", "22"}},
	}
	got := r.Markdown()
	for _, want := range []string{
		"# case: title\n", "| client |   x |\n", "| ------ | --: |\n", "| 10 × 1 | 1.5 |\n", "| a      |  22 |\n", "\n- a note\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwithout %q", got, want)
		}
	}
}

// The chart must be valid XML, or browsers do not show it.
func TestChart(t *testing.T) {
	c := Chart{Title: `a < "b"`, Unit: "s", Bars: []Bar{
		{Label: "one & two", Value: Stat{1, 1.5}, Accent: true}, {Label: "three", Value: Stat{2, 2}}, {Label: "slow", Value: Stat{90, 100}},
	}}
	d := xml.NewDecoder(strings.NewReader(c.SVG()))
	marks := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			marks[e.Name.Local]++
		}
	}
	if marks["rect"] != 2 || marks["path"] != 2 || marks["line"] != 3 {
		t.Errorf("got %v, want 2 whole bars and 1 bar in two pieces, each with a tick", marks)
	}
}

// A long label is not cut off: the column is as wide as it needs.
func TestChartLabels(t *testing.T) {
	for _, label := range []string{"short", strings.Repeat("wide", 30)} {
		svg := Chart{Bars: []Bar{{Label: label, Value: Stat{1, 1}}}}.SVG()
		found := regexp.MustCompile(`<text x="(\d+)" y="\d+" text-anchor="end">` + label).FindStringSubmatch(svg)
		if found == nil {
			t.Fatalf("got no label %q in\n%s", label, svg)
		}
		if end, err := strconv.Atoi(found[1]); err != nil || end < 7*len(label) {
			t.Errorf("got a label of %d letters that ends at pixel %d (%v)", len(label), end, err)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results")
	if err := (Report{Case: "none", Columns: []string{"client"}}).Write(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("got %v, %v, want a report without a chart in two files", entries, err)
	}
}
