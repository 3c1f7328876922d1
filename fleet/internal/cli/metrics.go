package cli

import (
	"io"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/s3processpool/processpool/fleet"
)

// writeMetrics writes a status in Prometheus's text format. It is one page of gauges that the server's
// state gives anew each time: the format's own package is enough, without a registry.
func writeMetrics(w io.Writer, s fleet.Status) error {
	run := label("run", s.Run)
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	families := []*dto.MetricFamily{
		family("s3fleet_objects", "Objects of the plan, by state.",
			gauge(float64(s.Done), run, label("state", "done")), gauge(float64(s.Dead), run, label("state", "dead")),
			gauge(float64(s.Open), run, label("state", "open"))),
		family("s3fleet_planned_objects", "Objects of the plan.", gauge(float64(s.Planned), run)),
		family("s3fleet_planned_bytes", "Bytes of the plan.", gauge(float64(s.PlannedBytes), run)),
		family("s3fleet_done_bytes", "Bytes of objects that are done, as workers report them.", gauge(float64(s.DoneBytes), run)),
		family("s3fleet_messages", "Messages of the queue, by state.",
			gauge(float64(s.Waiting), run, label("state", "waiting")), gauge(float64(s.InFlight), run, label("state", "in_flight"))),
		family("s3fleet_plan_complete", "1: the plan is complete.", gauge(flag(s.Complete), run)),
		family("s3fleet_ended", "1: each object is done or dead.", gauge(flag(s.Ended), run)),
	}
	var workers, fetched, rate []*dto.Metric
	for _, n := range s.Nodes {
		node := label("node", n.Node)
		workers = append(workers, gauge(float64(n.Workers), run, node))
		fetched = append(fetched, gauge(float64(n.Fetched), run, node))
		rate = append(rate, gauge(float64(n.BytesPerSecond), run, node))
	}
	if len(s.Nodes) > 0 {
		families = append(families,
			family("s3fleet_node_workers", "Workers that have told of themselves in the last 10 s.", workers...),
			family("s3fleet_node_fetched_bytes", "Bytes that a node has fetched from S3.", fetched...),
			family("s3fleet_node_bytes_per_second", "Bytes a second that a node fetches from S3.", rate...))
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return err
		}
	}
	return nil
}

func family(name, help string, metrics ...*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Help: &help, Type: dto.MetricType_GAUGE.Enum(), Metric: metrics}
}

func gauge(value float64, labels ...*dto.LabelPair) *dto.Metric {
	return &dto.Metric{Label: labels, Gauge: &dto.Gauge{Value: &value}}
}

func label(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }
