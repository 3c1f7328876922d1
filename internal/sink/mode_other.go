//go:build !windows

package sink

import "io/fs"

// modeBits are the permissions that a file has.
const modeBits = fs.ModePerm
