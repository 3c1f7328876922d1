package fence

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Mode says how much of a fence there must be.
type Mode int

const (
	Auto     Mode = iota // what the system has
	Required             // all of it
	Off
)

// Options say which worker a fence is for.
type Options struct {
	Mode Mode
	// Program is the path of the worker's program.
	Program string
	// Foreign programs are of the user. They may do more than a worker must, so that in mode Auto
	// they get no fence.
	Foreign bool
	Ports   []uint16 // to which the worker makes TCP connections
	Pretend Pretend
}

// Pretend is what a test has a fence believe of the system.
type Pretend struct {
	Landlock  int  // the newest version; 0 = the system's, negative = none
	NoSeccomp bool // the system has no seccomp
	Kill      bool // a call that the filter does not allow ends the worker
}

// Plan is the fence of a pool's workers. The nil Plan is none.
type Plan struct {
	options  Options
	landlock int // version of the rules; 0 = none
	seccomp  bool
	missing  []string

	made struct {
		sync.Mutex
		rules *os.File    // of the last start; nil: none, or too old
		over  *time.Timer // when they are
	}
}

// New finds out what the system has.
func New(o Options) *Plan {
	p := &Plan{options: o}
	if o.Mode == Off || o.Mode == Auto && o.Foreign {
		return p
	}
	p.probe()
	return p
}

// String names the parts that are in force, as in "landlock 7, seccomp". It is "none" if the system
// has none, and empty if none is wanted.
func (p *Plan) String() string {
	if p == nil || p.options.Mode == Off || p.options.Mode == Auto && p.options.Foreign {
		return ""
	}
	var parts []string
	if p.landlock > 0 {
		parts = append(parts, fmt.Sprintf("landlock %d", p.landlock))
	}
	if p.seccomp {
		parts = append(parts, "seccomp")
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// Missing says which parts the system lacks, and why.
func (p *Plan) Missing() string {
	if p == nil {
		return ""
	}
	return strings.Join(p.missing, "; ")
}

// Err returns an error if a part is missing and must not be. It is errors.ErrUnsupported.
func (p *Plan) Err() error {
	if p == nil || p.options.Mode != Required || len(p.missing) == 0 {
		return nil
	}
	return fmt.Errorf("the sandbox is required and this system lacks a part of it (%w): %s", errors.ErrUnsupported, p.Missing())
}

func (p *Plan) lacks(format string, args ...any) {
	p.missing = append(p.missing, fmt.Sprintf(format, args...))
}

// markVariable tells a worker which filter to lay.
const (
	markVariable = "PROCESSPOOL_FENCE"
	markFilter   = "seccomp"
	markKill     = "seccomp,kill"
)

// mark is the variable's value. Enter takes it from the environment.
var mark string

// Environ returns what a worker's environment must have so that it lays its filter.
func (p *Plan) Environ() []string {
	switch {
	case p == nil || !p.seccomp:
		return nil
	case p.options.Pretend.Kill:
		return []string{markVariable + "=" + markKill}
	}
	return []string{markVariable + "=" + markFilter}
}
