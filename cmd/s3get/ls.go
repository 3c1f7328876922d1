package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool/internal/tool/ask"
	"github.com/s3processpool/processpool/internal/tool/show"
)

// lister prints what is below prefixes, page by page.
type lister struct {
	*program
	recursive, human, total bool
	out                     *bufio.Writer
	events                  *events // nil: lines
	objects, bytes          int64
	seen                    bool // something was listed
}

func (p *program) lsCommand() *cobra.Command {
	l := &lister{program: p}
	cmd := &cobra.Command{
		Use:   "ls [flags] s3://bucket/prefix...",
		Short: "list objects and, with a slash at the end, the prefixes that stand for directories",
		Long:  lsText,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.run(cmd.Context(), args)
		},
	}
	p.addFlags(cmd, sourceFlags, selectionFlags, outputFlags)
	f := cmd.Flags()
	f.BoolVarP(&l.recursive, "recursive", "r", false, "list what is below the prefixes, too")
	f.BoolVarP(&l.human, "human", "H", false, "sizes with units, such as 1.5 MiB; default: in bytes")
	f.BoolVar(&l.total, "total", false, "print the number and the size of all objects at the end")
	for _, name := range []string{"recursive", "human", "total"} {
		p.inGroup(cmd, name, outputTitle)
	}
	for _, name := range []string{"dry-run", "stop-on-error", "skip-archived", "stat"} {
		cmd.Flags().Lookup(name).Hidden = true // they change nothing here
	}
	return cmd
}

func (l *lister) run(ctx context.Context, args []string) error {
	cfg, err := l.awsConfig(ctx)
	if err != nil {
		return err
	}
	var sources []source
	for _, arg := range args {
		if !strings.HasPrefix(arg, scheme) {
			return fmt.Errorf("%q is not of the form s3://bucket/prefix", arg)
		}
		s, err := parseSource(arg)
		if err != nil {
			return err
		}
		if !l.raw {
			s.pattern = wildcard(s.key)
		}
		sources = append(sources, s)
	}
	v := l.plain(l.stdout, l.stderr)
	l.out = bufio.NewWriterSize(l.stdout, 64<<10)
	if l.json {
		l.events = newEvents(l.out)
	}
	for _, s := range sources {
		l.seen = false
		err := l.list(ctx, ask.New(cfg, l.clientOptions), s)
		l.out.Flush()
		switch {
		case ctx.Err() != nil:
			l.status = statusOf(ctx)
			return nil
		case err != nil:
			v.trouble(newProblem(s, asListing(err)))
			l.status = exitFailed
		case !l.seen:
			v.trouble(newProblem(s, errNothing))
			l.status = exitFailed
		}
	}
	if l.total {
		l.printTotal()
	}
	return l.out.Flush()
}

// list prints one listing. Each page is printed before the next one is asked for.
func (l *lister) list(ctx context.Context, k *ask.Client, s source) error {
	in := &s3.ListObjectsV2Input{Bucket: aws.String(s.bucket), Prefix: aws.String(s.key), EncodingType: types.EncodingTypeUrl, RequestPayer: l.payer.wire()}
	if s.pattern != "" {
		in.Prefix = aws.String(literal(s.pattern))
	} else if !l.recursive {
		in.Delimiter = aws.String("/")
	}
	for {
		page, err := ask.Do(k, func(c *s3.Client, region func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
			return c.ListObjectsV2(ctx, in, region)
		})
		if err != nil {
			return err
		}
		if err := l.page(s, page); err != nil {
			return err
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		if in.ContinuationToken = page.NextContinuationToken; in.ContinuationToken == nil {
			return fmt.Errorf("the server has cut the listing short: a page has no continuation token")
		}
		l.out.Flush()
	}
}

// printTotal prints the last line.
func (l *lister) printTotal() {
	if l.events != nil {
		l.events.print(totalEvent{Event: "total", Objects: l.objects, Bytes: l.bytes})
		return
	}
	fmt.Fprintf(l.out, "%s, %s\n", objects(l.objects), l.sized(l.bytes))
}

func (l *lister) sized(n int64) string {
	if l.human {
		return show.Human(n)
	}
	return fmt.Sprint(n)
}

// printObject prints a line, or the event of an object.
func (l *lister) printObject(bucket, key string, o *types.Object) {
	size, modified := aws.ToInt64(o.Size), aws.ToTime(o.LastModified)
	l.seen = true
	l.objects++
	l.bytes += size
	if l.events == nil {
		fmt.Fprintf(l.out, "%s %14s %s\n", modified.UTC().Format(time.DateTime), l.sized(size), show.Printable(key))
		return
	}
	l.events.print(objectEvent{
		Event: "object", Bucket: bucket, Key: key, Size: size, LastModified: modified,
		ETag: aws.ToString(o.ETag), StorageClass: string(o.StorageClass),
	})
}
