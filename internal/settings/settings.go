// Package settings transfers the settings of an S3 client to another process. Plain values are
// copied; a setting that is not a plain value is an error that names it.
package settings

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Settings holds everything that a worker's client and its retries depend on.
type Settings struct {
	Client Client
	HTTP   HTTP

	Seat         int // of the worker in its pool
	Slots        int // maximum number of requests in flight in one worker
	MaxAttempts  int
	RetryTimeout time.Duration
	StallTimeout time.Duration
	CABundle     []byte // PEM; empty: the system's roots
	UserAgent    string // "name/version"
	Attempts     bool   `json:",omitempty"` // report each request's end: see ipc.Attempt

	Hurry int `json:",omitempty"` // of a test: pauses and RetryTimeout are divided by it; 0: not
}

// Client holds the fields of s3.Options that are plain values.
type Client struct {
	Region                         string
	BaseEndpoint                   *string
	AppID                          string
	UsePathStyle                   bool
	UseAccelerate                  bool
	UseARNRegion                   bool
	DisableMultiRegionAccessPoints bool
	DisableS3ExpressSessionAuth    *bool
	DisableClockSkewCorrection     bool
	DisableHTTPS                   bool
	UseDualStack                   aws.DualStackEndpointState
	UseFIPS                        aws.FIPSEndpointState
	AuthSchemePreference           []string
	RetryMode                      aws.RetryMode
	ClientLogMode                  aws.ClientLogMode
	Anonymous                      bool // requests are not signed
}

// HTTP holds the settings of an awshttp.BuildableClient that are plain values.
type HTTP struct {
	DialTimeout           time.Duration
	KeepAlive             time.Duration
	TLSHandshakeTimeout   time.Duration
	ResponseHeaderTimeout time.Duration
	IdleConnTimeout       time.Duration
	TLSMinVersion         uint16
	TLSServerName         string
	InsecureSkipVerify    bool
	NoProxy               bool // the caller set Proxy to nil
}

// Apply sets the plain values on o.
func (c Client) Apply(o *s3.Options) {
	o.Region = c.Region
	o.BaseEndpoint = c.BaseEndpoint
	o.AppID = c.AppID
	o.UsePathStyle = c.UsePathStyle
	o.UseAccelerate = c.UseAccelerate
	o.UseARNRegion = c.UseARNRegion
	o.DisableMultiRegionAccessPoints = c.DisableMultiRegionAccessPoints
	o.DisableS3ExpressSessionAuth = c.DisableS3ExpressSessionAuth
	o.DisableClockSkewCorrection = c.DisableClockSkewCorrection
	o.EndpointOptions.DisableHTTPS = c.DisableHTTPS
	o.EndpointOptions.UseDualStackEndpoint = c.UseDualStack
	o.EndpointOptions.UseFIPSEndpoint = c.UseFIPS
	o.AuthSchemePreference = c.AuthSchemePreference
	o.RetryMode = c.RetryMode
	o.ClientLogMode = c.ClientLogMode
}

func fromOptions(o s3.Options) Client {
	dualStack := o.EndpointOptions.UseDualStackEndpoint
	//lint:ignore SA1019 A caller may still set it.
	if dualStack == aws.DualStackEndpointStateUnset && o.UseDualstack {
		dualStack = aws.DualStackEndpointStateEnabled
	}
	return Client{
		Region:                         o.Region,
		BaseEndpoint:                   o.BaseEndpoint,
		AppID:                          o.AppID,
		UsePathStyle:                   o.UsePathStyle,
		UseAccelerate:                  o.UseAccelerate,
		UseARNRegion:                   o.UseARNRegion,
		DisableMultiRegionAccessPoints: o.DisableMultiRegionAccessPoints,
		DisableS3ExpressSessionAuth:    o.DisableS3ExpressSessionAuth,
		DisableClockSkewCorrection:     o.DisableClockSkewCorrection,
		DisableHTTPS:                   o.EndpointOptions.DisableHTTPS,
		UseDualStack:                   dualStack,
		UseFIPS:                        o.EndpointOptions.UseFIPSEndpoint,
		AuthSchemePreference:           o.AuthSchemePreference,
		RetryMode:                      o.RetryMode,
		ClientLogMode:                  o.ClientLogMode,
		Anonymous: o.Credentials == nil ||
			aws.IsCredentialsProvider(o.Credentials, (*aws.AnonymousCredentials)(nil)),
	}
}
