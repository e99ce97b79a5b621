#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What is typed at the prompt acts at once: a filter narrows a table letter by letter, and Esc gives it up; the help runs what was sought; a branch
# from a step is compared with now by seven keys.
. "$(dirname "$0")/tui.sh"

start 100 36 "$bin new typed net=resnet18 data=none sensitivity=hawq weight.bops=1 target.bops=int4 steps=400"
see 'The search is finished'
keys Escape
gone 'The search is finished'
see 's4b1.conv1'
keys / s 2
see 's2b1.conv1'
gone 's4b1.conv1'
keys b 2
gone 's2b1.conv1'
keys Escape
see 's4b1.conv1'
keys / s 3 b 1 Enter
gone 's4b1.conv1'
keys / Escape # what was there before stays
gone 's4b1.conv1'
see 's3b1.conv1'
keys Escape
see 's4b1.conv1'

# The help: what is sought is run, or typed where it needs words.
keys '?'
see 'Keys'
keys / l e g e n d Enter
see '!  *legend'
keys Enter
see 'Legend'
see 'pinned to one format'
keys Escape
gone 'pinned to one format'
keys '?'
see 'Keys'
keys / p a c e Space '[' Enter
see 'pace .STEPS'
keys Enter
see '^:pace'
keys Escape

# To a branch from step 300 beside the present.
gone '^:pace'
keys H / 3 0 0 Enter
see 'step 300: bops'
keys =
see 'compare . typed@300'
keys Escape Escape
see '@300 ratio'
keys Escape
gone '@300 ratio'
keys q
left 0
