// Command s3fleet has many machines download one list of S3 objects, by way of a NATS server:
//
//	s3fleet run s3://mybucket/photos/ photos --workers 3
//
// s3fleet --help prints all commands and flags.
package main

import "github.com/s3processpool/processpool/fleet/internal/cli"

// The downloads' workers are child processes that run this program. In them the init function of
// package processpool serves the pool, and main does not run.
func main() { cli.Main() }
