// Package workflows holds the durable business processes: DeliverEvent, one run per event, and PollInbox, one
// for each part of the storefronts. They carry ids, codes and numbers, never a payload, a person or a secret, and know
// neither database nor network. It also starts them, since ids, options and attributes of a start belong to the workflow.
package workflows
