package main

import (
	"errors"
	"fmt"
	"strings"
)

// place processes the arguments that are not flags: the sources, and then at most one destination.
func (a *arguments) place(rest []string) error {
	var names []string
	for i, arg := range rest {
		if !strings.HasPrefix(arg, scheme) {
			names = rest[i:]
			break
		}
		s, err := parseSource(arg)
		if err != nil {
			return err
		}
		if !a.raw && !a.recursive {
			s.pattern = wildcard(s.key)
		}
		a.sources = append(a.sources, s)
	}
	switch {
	case len(a.sources) == 0 && len(names) > 0:
		return fmt.Errorf("%q is not an object: write s3://bucket/key first", names[0])
	case len(a.sources) == 0:
		return errors.New("nothing to download: name an object as s3://bucket/key (see --help)")
	case len(names) > 1:
		return fmt.Errorf("%q is one argument too many: name objects first, then one file or directory", names[1])
	case len(names) == 1 && names[0] == "-", a.dir == "-":
		return errors.New("standard output (-) is what s3get cat writes to: use it, or write ./- for a file of that name")
	case len(names) == 1 && names[0] == "":
		return errors.New("the destination is empty: name a file or a directory")
	case len(names) == 1 && a.dir != "" && a.given["dir"]:
		return fmt.Errorf("%q and -d %q are two destinations: use one of them", names[0], a.dir)
	}
	if err := a.checkSelection(); err != nil {
		return err
	}
	switch {
	case a.recursive:
		return a.placeTree(names)
	case a.listing() && len(names) == 1:
		a.dir, names = names[0], nil
	case len(names) == 1 && len(a.sources) > 1:
		return fmt.Errorf("%q cannot hold %d objects: name a directory with -d", names[0], len(a.sources))
	case len(names) == 1:
		a.file, a.dir = names[0], ""
	}
	return a.placeFiles()
}

func (a *arguments) placeTree(names []string) error {
	if len(names) == 1 {
		a.dir = names[0]
	}
	switch {
	case len(a.sources) > 1:
		return errors.New("--recursive takes one s3://bucket/prefix/: run s3get once for each")
	case a.dir == "":
		return errors.New("--recursive needs a directory: add it after the prefix")
	}
	key := &a.sources[0].key
	if !a.raw && wildcard(*key) != "" {
		return fmt.Errorf("%s has a wildcard, and is no prefix: use s3get without --recursive, which finds what is below too, or --raw", a.sources[0])
	}
	// As in cp and the AWS CLI, photos means the directory photos/.
	if *key != "" && !strings.HasSuffix(*key, "/") {
		*key += "/"
	}
	return nil
}
