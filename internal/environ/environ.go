// Package environ is what a test of the library gives one Downloader besides its Config: system
// calls that fail, and times that are not worth waiting for. It travels in the aws.Config, where
// only this package finds it. Programs of users have no environ, and get the defaults.
package environ

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/fence"
	"github.com/s3processpool/processpool/internal/osfile"
)

// Environ is one Downloader's. A zero field is the default.
type Environ struct {
	Files *osfile.System // Of makes one where there is none

	Slow         time.Duration // transfer.Env
	StartTimeout time.Duration // pool.Options, as the next three
	StopTimeout  time.Duration
	Heartbeat    time.Duration

	CancelTimeout time.Duration

	Hurry int // workers divide the pauses between attempts and RetryTimeout by it; 0 or 1: not
	Fence fence.Pretend
}

// In returns cfg with e in it.
func (e *Environ) In(cfg aws.Config) aws.Config {
	cfg.ConfigSources = append(slices.Clip(cfg.ConfigSources), e)
	return cfg
}

// Of returns the last Environ in cfg, or one of defaults.
func Of(cfg aws.Config) (e Environ) {
	for _, source := range slices.Backward(cfg.ConfigSources) {
		if given, ok := source.(*Environ); ok {
			e = *given
			break
		}
	}
	if e.Files == nil {
		e.Files = new(osfile.System)
	}
	return e
}
