module relay/deploy/compose/sandbox

go 1.26.8

require relay/deploy/dev v0.0.0

replace (
	relay => ../../../
	relay/deploy/dev => ../../dev
)
