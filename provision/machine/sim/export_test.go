package sim

// Speak has a provider speak another version of the protocol.
func (p *Provider) Speak(version int) { p.protocol = version }
