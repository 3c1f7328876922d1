package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/spf13/cobra"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/tool/ask"
)

func (p *program) catCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cat [flags] s3://bucket/key...",
		Short: "write objects to standard output, one after the other, and verify them",
		Long:  catText,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var sources []source
			for _, arg := range args {
				s, err := parseSource(arg)
				switch {
				case !strings.HasPrefix(arg, scheme):
					return fmt.Errorf("%q is not of the form s3://bucket/key", arg)
				case err != nil:
					return err
				case s.key == "":
					return fmt.Errorf("%s is a bucket, not an object: name a key", s)
				}
				sources = append(sources, s)
			}
			for _, name := range singles {
				if len(args) > 1 && p.given[name] {
					return fmt.Errorf("--%s needs a single object: run s3get once for each", name)
				}
			}
			return p.cat(cmd.Context(), sources)
		},
	}
	p.addFlags(cmd, sourceFlags, objectFlags, downloadFlags, outputFlags)
	for _, name := range []string{"resume", "direct-io"} {
		cmd.Flags().Lookup(name).Hidden = true // there is no file
	}
	return cmd
}

// concatenation writes objects to standard output.
type concatenation struct {
	*program
	downloader *processpool.Downloader
	asker      *ask.Client
	buffers    [2]buffer
}

func (p *program) cat(ctx context.Context, sources []source) error {
	cfg, err := p.awsConfig(ctx)
	if err != nil {
		return err
	}
	d, err := processpool.NewDownloader(cfg, p.configure)
	if err != nil {
		return err
	}
	defer d.Shutdown()
	c := &concatenation{program: p, downloader: d, asker: ask.New(cfg, p.clientOptions)}
	defer c.close()
	v := p.plain(p.stderr, p.stderr) // standard output has the bytes
	for _, s := range sources {
		switch err := c.object(ctx, s); {
		case ctx.Err() != nil:
			v.trouble(problem{object: "interrupted", what: "the output is not complete", todo: "discard it", code: "Interrupted"})
			p.status = statusOf(ctx)
			return nil
		case err != nil:
			v.trouble(newProblem(s, err))
			p.status = exitFailed
			return nil // what follows would be at the wrong place
		}
	}
	if p.stat {
		fmt.Fprintln(p.stderr, newStats(d.Stats()))
	}
	return nil
}

// object writes one object. It pins the version that HeadObject has found, so that all bytes are of
// one, and compares them with the checksum that S3 keeps when the last one has been written.
func (c *concatenation) object(ctx context.Context, s source) error {
	head, err := ask.Do(c.asker, func(client *s3.Client, region func(*s3.Options)) (*s3.HeadObjectOutput, error) {
		in := &s3.HeadObjectInput{Bucket: &s.bucket, Key: &s.key, ChecksumMode: types.ChecksumModeEnabled, RequestPayer: c.payer.wire()}
		if c.versionID != "" {
			in.VersionId = &c.versionID
		}
		return client.HeadObject(ctx, in, region)
	})
	if err != nil {
		return &processpool.TransferError{Op: processpool.OpHead, Bucket: s.bucket, Key: s.key, Err: err}
	}
	size := aws.ToInt64(head.ContentLength)
	from, length := int64(0), size
	if r := c.byteRange.of; r != nil {
		if from = r.Offset; r.Length == 0 {
			length = size - from
		} else {
			length = r.Length
		}
		if from > size || length > size-from || length < 0 {
			return fmt.Errorf("%w: --range is beyond the %d bytes of the object", processpool.ErrSizeMismatch, size)
		}
	}
	proof := proofOf(head, c.verify.VerifyMode)
	if length < size {
		proof = proof.ofRange()
	}
	proof.expect(c.digests)
	if proof.kind == proofParts {
		if err := c.parts(ctx, s, head, proof); err != nil {
			return err
		}
	}
	if proof.kind == proofNone && len(proof.expected) == 0 && c.verify.VerifyMode == processpool.VerifyRequired {
		return fmt.Errorf("%w: nothing was written", processpool.ErrUnverifiable)
	}
	w := &windows{concatenation: c, source: s, head: head, size: size, proof: proof}
	err = w.write(ctx, from, length)
	if err == nil {
		err = proof.check()
	}
	switch {
	case err == nil:
	case w.written == 0:
	case errors.Is(err, processpool.ErrChecksumMismatch):
		err = fmt.Errorf("%w; %d bytes have been written, and are not the object's: discard them", err, w.written)
	default:
		err = fmt.Errorf("%w; %d of %d bytes have been written: discard them", err, w.written, length)
	}
	return err
}

// parts asks for the size of the object's parts. Windows are whole ones, so that the library can
// compare them with the checksums of the parts. Parts that differ in size, or are larger than
// maxPart, verify nothing here.
func (c *concatenation) parts(ctx context.Context, s source, whole *s3.HeadObjectOutput, p *proof) error {
	first, err := ask.Do(c.asker, func(client *s3.Client, region func(*s3.Options)) (*s3.HeadObjectOutput, error) {
		return client.HeadObject(ctx, &s3.HeadObjectInput{
			Bucket: &s.bucket, Key: &s.key, PartNumber: aws.Int32(1), VersionId: whole.VersionId, IfMatch: whole.ETag, RequestPayer: c.payer.wire(),
		}, region)
	})
	if ctx.Err() != nil {
		return err
	}
	if err == nil {
		p.part = aws.ToInt64(first.ContentLength)
	}
	if p.part < 1 || p.part > maxPart {
		p.kind = proofNone
	}
	return nil
}

// out is where the bytes go: to standard output, and to what proves them.
func (w *windows) out() io.Writer {
	to := []io.Writer{w.stdout}
	if w.proof.hash != nil {
		to = append(to, w.proof.hash)
	}
	for _, one := range w.proof.expected {
		to = append(to, one.hash)
	}
	return io.MultiWriter(to...)
}
