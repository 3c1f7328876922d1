// Package resolved is how package processpooltest makes a Future without a Downloader. The root
// offers that to no other package.
package resolved

// New makes a *processpool.Future that has ended. meta is a processpool.Meta, object a
// processpool.Object. The init of package processpool sets New.
var New func(meta, object any, err error) (future any)
