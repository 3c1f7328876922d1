// Package report writes the results of a case as Markdown, as JSON and as a chart.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Report holds the results of one case.
type Report struct {
	Case    string   `json:"case"`
	Title   string   `json:"title"`
	Date    string   `json:"date"`
	Machine Machine  `json:"machine"`
	Notes   []string `json:"notes"`

	Columns []string   `json:"-"`
	Table   [][]string `json:"-"`
	Data    any        `json:"data"` // the data of Table
	Chart   Chart      `json:"-"`    // not written if it has no bars
}

// Write writes CASE.md, CASE.json and CASE.svg into dir.
func (r Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	files := map[string]string{".md": r.Markdown(), ".json": string(data) + "\n"}
	if len(r.Chart.Bars) > 0 {
		files[".svg"] = r.Chart.SVG()
	}
	for suffix, text := range files {
		if err := os.WriteFile(filepath.Join(dir, r.Case+suffix), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Markdown returns the report as Markdown.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n", r.Case, r.Title)
	writeTable(&b, r.Columns, r.Table)
	fmt.Fprintf(&b, "\n- %s: %s\n", r.Date, r.Machine)
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	return b.String()
}

// writeTable writes a table with aligned columns. All columns but the first hold numbers.
func writeTable(b *strings.Builder, columns []string, rows [][]string) {
	widths := make([]int, len(columns))
	for _, row := range append([][]string{columns}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("| " + cell + pad)
			} else {
				b.WriteString(" | " + pad + cell)
			}
		}
		b.WriteString(" |\n")
	}
	line(columns)
	for i, width := range widths {
		if i == 0 {
			b.WriteString("| " + strings.Repeat("-", width))
		} else {
			b.WriteString(" | " + strings.Repeat("-", width-1) + ":")
		}
	}
	b.WriteString(" |\n")
	for _, row := range rows {
		line(row)
	}
}
