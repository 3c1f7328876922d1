package sink

import "io/fs"

// modeBits are the permissions that a file has: the attribute "read-only", which is the absence of
// this bit.
const modeBits fs.FileMode = 0o200
