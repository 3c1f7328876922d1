package main

import (
	"fmt"
	"strings"
)

// terminal is what a terminal shows after the output of bars. It knows the only control sequences
// that they send: up some lines, and erase from the cursor on. Others stay on the screen.
type terminal struct {
	rows   [][]rune
	row, x int
	// echo is written after each write, as the terminal does with what the user types meanwhile.
	echo string
}

func (s *terminal) Write(p []byte) (int, error) {
	s.write(string(p))
	s.write(s.echo)
	return len(p), nil
}

func (s *terminal) write(text string) {
	for text != "" {
		var up int
		if n, _ := fmt.Sscanf(text, "\x1b[%dA\x1b[J", &up); n == 1 {
			_, text, _ = strings.Cut(text, "\x1b[J")
			s.row = max(0, s.row-up)
			s.rows = s.rows[:min(len(s.rows), s.row+1)]
			if s.row < len(s.rows) {
				s.rows[s.row] = s.rows[s.row][:min(len(s.rows[s.row]), s.x)]
			}
			continue
		}
		r := []rune(text)[0]
		text = text[len(string(r)):]
		switch r {
		case '\n':
			s.row, s.x = s.row+1, 0
		case '\r':
			s.x = 0
		default:
			s.put(r)
		}
	}
}

func (s *terminal) put(r rune) {
	for len(s.rows) <= s.row {
		s.rows = append(s.rows, nil)
	}
	for len(s.rows[s.row]) <= s.x {
		s.rows[s.row] = append(s.rows[s.row], ' ')
	}
	s.rows[s.row][s.x] = r
	s.x++
}

func (s *terminal) lines() (lines []string) {
	for _, row := range s.rows {
		lines = append(lines, strings.TrimRight(string(row), " "))
	}
	return lines
}
