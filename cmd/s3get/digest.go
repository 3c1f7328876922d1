package main

import (
	"strings"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/digest"
)

// digests is the value of --checksum, which may be repeated: what the object's bytes must have.
type digests []processpool.Checksum

func (*digests) Type() string { return "digest" }

func (d *digests) String() string {
	var all []string
	for _, one := range *d {
		all = append(all, strings.ToLower(string(one.Algorithm))+":"+one.Value)
	}
	return strings.Join(all, " ")
}

func (d *digests) Set(text string) error {
	one, err := digest.Parse(text)
	if err == nil {
		*d = append(*d, one)
	}
	return err
}
