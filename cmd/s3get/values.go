package main

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/show"
)

// verifyMode is a flag's value.
type verifyMode struct{ processpool.VerifyMode }

func (*verifyMode) Type() string { return "mode" }

func (v *verifyMode) Set(text string) error {
	for mode := processpool.VerifyAuto; mode <= processpool.VerifyChecksums; mode++ {
		if text == mode.String() {
			v.VerifyMode = mode
			return nil
		}
	}
	return errors.New("want auto, required or off, or checksums")
}

// sandboxMode is a flag's value.
type sandboxMode struct{ processpool.SandboxMode }

func (*sandboxMode) Type() string { return "mode" }

func (s *sandboxMode) Set(text string) error {
	for mode := processpool.SandboxAuto; mode <= processpool.SandboxOff; mode++ {
		if text == mode.String() {
			s.SandboxMode = mode
			return nil
		}
	}
	return errors.New("want auto, required or off")
}

// logLevel is a flag's value; "": off.
type logLevel string

func (*logLevel) Type() string     { return "level" }
func (l *logLevel) String() string { return string(*l) }
func (l logLevel) off() bool       { return l == "" || l == "off" }

func (l *logLevel) Set(text string) error {
	if text != "off" {
		if _, err := logLevel(text).level(); err != nil {
			return errors.New("want off, debug, info, warn or error")
		}
	}
	*l = logLevel(text)
	return nil
}

func (l logLevel) level() (level slog.Level, err error) {
	err = level.UnmarshalText([]byte(l))
	return level, err
}

// payer is the value of --request-payer.
type payer string

func (*payer) Type() string     { return "payer" }
func (p *payer) String() string { return string(*p) }

func (p payer) wire() types.RequestPayer { return types.RequestPayer(p) }

func (p *payer) Set(text string) error {
	if text != "requester" {
		return errors.New("want requester")
	}
	*p = payer(text)
	return nil
}

// listFormat is the format of a list; "": auto.
type listFormat string

func (*listFormat) Type() string     { return "format" }
func (f *listFormat) String() string { return string(*f) }

func (f *listFormat) Set(text string) error {
	switch text {
	case "auto":
		text = ""
	case "lines", "jsonl", "csv":
	default:
		return errors.New("want auto, lines, jsonl or csv")
	}
	*f = listFormat(text)
	return nil
}

// byteRange is the value of --range.
type byteRange struct{ of *processpool.Range }

func (*byteRange) Type() string { return "bytes" }

func (r *byteRange) String() string {
	if r.of == nil {
		return ""
	}
	s := strconv.FormatInt(r.of.Offset, 10) + "-"
	if r.of.Length > 0 {
		s += strconv.FormatInt(r.of.Offset+r.of.Length-1, 10)
	}
	return s
}

// Set takes what HTTP's Range has: the first and the last byte.
func (r *byteRange) Set(text string) error {
	wrong := errors.New("want the first and the last byte, such as 0-1023, or the first and a dash, such as 1024-")
	from, to, dash := strings.Cut(text, "-")
	first, err := strconv.ParseUint(from, 10, 62)
	if err != nil || !dash {
		return wrong
	}
	r.of = &processpool.Range{Offset: int64(first)}
	if to == "" {
		return nil
	}
	last, err := strconv.ParseUint(to, 10, 62)
	if err != nil || last < first {
		return wrong
	}
	r.of.Length = int64(last-first) + 1
	return nil
}

// byteRate is a flag's value: a number of bytes per second. 0: no limit.
type byteRate int64

func (*byteRate) Type() string { return "rate" }

func (r *byteRate) String() string {
	if *r == 0 {
		return ""
	}
	return show.Human(int64(*r)) + "/s"
}

func (r *byteRate) Set(value string) error {
	var s show.Size
	err := s.Set(strings.TrimSuffix(value, "/s"))
	*r = byteRate(s)
	return err
}
