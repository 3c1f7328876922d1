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
	Files *osfile.System

	Slow         time.Duration // transfer.Env
	StartTimeout time.Duration // pool.Options, as the next two
	StopTimeout  time.Duration
	Heartbeat    time.Duration

	Fence fence.Pretend
}

// In returns cfg with e in it.
func (e *Environ) In(cfg aws.Config) aws.Config {
	cfg.ConfigSources = append(slices.Clip(cfg.ConfigSources), e)
	return cfg
}

// Of returns the last Environ in cfg, or the zero one.
func Of(cfg aws.Config) Environ {
	for _, source := range slices.Backward(cfg.ConfigSources) {
		if e, ok := source.(*Environ); ok {
			return *e
		}
	}
	return Environ{}
}
