package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
)

// awsConfig loads the configuration as the AWS CLI does.
func (a *arguments) awsConfig(ctx context.Context) (aws.Config, error) {
	var load []func(*config.LoadOptions) error
	if a.profile != "" {
		load = append(load, config.WithSharedConfigProfile(a.profile))
	}
	if a.region != "" {
		load = append(load, config.WithRegion(a.region))
	}
	if a.unsigned {
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return cfg, fmt.Errorf("configuration: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1" // the library finds the region of a bucket elsewhere
	}
	return cfg, nil
}

func (a *arguments) clientOptions(o *s3.Options) {
	if a.endpoint != "" {
		o.BaseEndpoint = aws.String(a.endpoint)
		o.UsePathStyle = true
	}
}

// configure sets the library's configuration.
func (p *program) configure(c *processpool.Config) {
	c.MaxRequestProcesses, c.RequestsPerProcess = p.workers, p.requests
	c.MultipartChunksize, c.MultipartThreshold = int64(p.chunk), int64(p.threshold)
	c.Verify, c.Sandbox = p.verify.VerifyMode, p.sandbox.SandboxMode
	c.DirectIO, c.Nice = p.directIO, p.nice
	c.MaxBytesPerSecond, c.Adaptive = int64(p.limitRate), p.adaptive
	if p.retry > 0 {
		c.MaxAttempts = p.retry
	}
	if !p.logLevel.off() {
		level, _ := p.logLevel.level() // Set has checked it
		c.Logger = slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: level}))
	}
	c.ClientOptions = append(c.ClientOptions, p.clientOptions)
}
