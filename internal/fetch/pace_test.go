package fetch

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/settings"
)

// pace records how attempts ended.
type pace struct {
	aws.RetryerV2
	outcomes []error
}

func (p *pace) GetAttemptToken(context.Context) (func(error) error, error) {
	return func(err error) error {
		p.outcomes = append(p.outcomes, err)
		return nil
	}, nil
}

// TestAdaptive: in the adaptive retry mode the limiter admits each attempt and learns how it ended.
func TestAdaptive(t *testing.T) {
	s := settings.Settings{MaxAttempts: 3, StallTimeout: time.Minute, Client: settings.Client{Anonymous: true}}
	for mode, adaptive := range map[aws.RetryMode]bool{aws.RetryModeStandard: false, aws.RetryModeAdaptive: true} {
		s.Client.RetryMode = mode
		c, err := New(Options{Settings: s})
		if err != nil {
			t.Fatal(err)
		}
		if (c.limiter != nil) != adaptive {
			t.Errorf("%s: got limiter %v", mode, c.limiter)
		}
	}

	s.Client.RetryMode = aws.RetryModeAdaptive
	c, err := New(Options{Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	p := &pace{}
	c.limiter = p
	first := errors.New("the first attempt fails")
	for _, want := range []error{first, nil} {
		if _, err := c.paced(t.Context(), func(context.Context, *watch) (bool, error) { return false, want }); err != want {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if want := []error{first, nil}; !slices.Equal(p.outcomes, want) {
		t.Errorf("got outcomes %v, want %v", p.outcomes, want)
	}
}
