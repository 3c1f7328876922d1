package pool

// announceFence logs once what keeps the workers in, if anything shall.
func (p *Pool) announceFence() {
	force := p.options.Fence.String()
	if force == "" {
		return
	}
	args := []any{"in force", force}
	if missing := p.options.Fence.Missing(); missing != "" {
		args = append(args, "missing", missing)
	}
	p.options.Logger.Info("sandbox", args...)
}
