package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/s3processpool/processpool/internal/tool/show"
)

// pace is the rate of a command, smoothed so that it can be read: what came t ago counts e^(-t/5 s).
type pace struct {
	rate float64 // bytes per second
	done int64
	at   time.Time // of the last look; zero: none yet
}

const smooth = 5 * time.Second

// look takes the bytes that are there now, and returns the rate.
func (p *pace) look(now time.Time, done int64) float64 {
	took := now.Sub(p.at).Seconds()
	switch {
	case p.at.IsZero():
	case took <= 0:
		return p.rate
	case p.rate == 0:
		p.rate = float64(max(0, done-p.done)) / took
	default:
		weight := 1 - math.Exp(-took/smooth.Seconds())
		p.rate += weight * (float64(max(0, done-p.done))/took - p.rate)
	}
	p.done, p.at = done, now
	return p.rate
}

// details returns the rate, the time that is left, the workers and the retries, as far as they are
// known, separated by commas.
func (s status) details(rate float64) string {
	var parts []string
	if rate >= 1 {
		parts = append(parts, show.Human(int64(rate))+"/s")
		if left := float64(s.total-s.done) / rate; left >= 0.5 {
			parts = append(parts, clock(time.Duration(left*float64(time.Second)))+" left")
		}
	}
	if s.workers > 0 {
		parts = append(parts, count(s.workers, "worker", "workers"))
	}
	if s.retries > 0 {
		parts = append(parts, count(s.retries, "retry", "retries"))
	}
	return strings.Join(parts, ", ")
}

// clock formats a duration with its two largest units.
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	case s < 100*3600:
		return fmt.Sprintf("%d h %02d min", s/3600, s/60%60)
	}
	return fmt.Sprintf("%d d", s/86400)
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// percent returns done of total, rounded down, so that 100 means all.
func percent(done, total int64) int64 {
	if total <= 0 {
		return 0
	}
	return int64(float64(min(done, total)) / float64(total) * 100)
}
