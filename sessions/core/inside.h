// SPDX-License-Identifier: GPL-3.0-or-later
// The inside of a session, shared by the files of this folder. One thread: the session's own.
//
// A request to the engine is `pending` until its reply comes; each has a function that takes the reply. Changes take the same way
// whether a person, an undo or the journal asks for them, so there is one place where a change becomes a line.
#ifndef SESSIONS_CORE_INSIDE_H
#define SESSIONS_CORE_INSIDE_H

#include "engine/base/clock.h"
#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "engine/catalog.h"
#include "engine/measure.h"
#include "sessions/store/checkpoint.h"
#include "sessions/store/folder.h"
#include "sessions/store/journal.h"
#include "sessions/store/manifest.h"
#include "sessions/sessions.h"
#include "sessions/store/summary.h"
#include "sessions/store/writer.h"

enum {
	AUTOSAVE_SECONDS = 60, // the longest time between autosaves
	AUTOSAVE_LEAST = 5,    // the shortest; one is due for each CHECKPOINTS_KEPT-th of the horizon
	AUTOSAVE_PART = 16,    // between the two: once a sixteenth of all steps are new
	RETRY_SECONDS = 5,     // a journal that cannot be written is tried again at this interval
	MESSAGES = 64,         // kept until a person reads them
	MESSAGE_TEXT = 1024,
	UNDO_WAITING = 32,
	PLOTS_ASKED = 128, // more than a plotter queues
};

struct pending {
	struct pending *next;
	unsigned ticket;
	// Takes the reply (ok or not).
	void (*done)(struct session *, struct pending *, struct reply *);
	void (*drop)(void *job); // frees the job where the reply never comes
	void *job;               // what else `done` needs
	enum journal_act act;    // of a change
	int of;
	char *text; // of a change: the command
	int lane;   // of a focus: the lane
	bool asked; // of a save: a person waits for the answer
};

struct message {
	bool bad;
	char text[MESSAGE_TEXT];
};

// A message for when the journal up to `end` is on the disk.
struct acknowledgement {
	struct acknowledgement *next;
	off_t end;
	char text[];
};

// The last evaluation of a split, if known.
struct known_evaluation {
	bool known;
	long step;
	double accuracy, loss;
};

// Which images a choice got right (judge.c).
struct judged {
	int asked; // answers that are missing
	long step; // of the weights
	long images;
	uint32_t sum;   // of the images: equal for the same ones
	uint8_t *right; // [images]; owned; NULL: none has come, or the fault says why not
	struct fault fault;
};

// The network on a device and the roofline of its present choices; kept while the device stays the same.
struct costed {
	struct description *network;
	struct costing *latency;
	char device[ENGINE_TEXT];
	struct layer_formats *formats; // [layers]
	struct roofline_point *point;  // [2][layers]
	struct costing *measured;      // by the device's measured times; NULL: it has none
	struct timed_layer *time;      // [layers]
};

// What a batch run waits for; see wait.c.
enum wait_kind { WAIT_NOTHING, WAIT_STEP, WAIT_FINISHED, WAIT_READOUT };
struct wait {
	enum wait_kind kind;
	long goal;    // the step to reach (WAIT_READOUT: the end of this slice)
	char **words; // WAIT_READOUT: the comparison; owned
	int count;
};

// The lines of the journal that the engine must still follow; see play.c.
struct play {
	bool on;
	int line;                  // the next one
	bool sent;                 // the run to its step was requested
	bool posted;               // and its change was posted
	int changes;               // applied
	bool tail;                 // there were lines to follow
	char kernels[ENGINE_NAME]; // the set on which the engine must be opened
	bool strict;               // a replay: the first difference ends it
	bool failed;
	struct fault fault;
};

// Follows a session that another process has open, from its files; see follow.c.
struct follow {
	bool on;
	long owner;    // the other process; 0: unknown
	bool left;     // it has gone, and a message said so
	long step;     // of the checkpoint shown; -1: none
	off_t journal; // bytes of the journal shown
	double next;   // when to look again
};

// On the way to another step: to go back there, or to make another session there; see travel.c.
enum travel_phase {
	TRAVEL_NONE,
	TRAVEL_PARTING, // what is here is saved first
	TRAVEL_MOVING,  // an engine goes there from the nearest checkpoint
	TRAVEL_WRITING, // the other session is written
	TRAVEL_SETTLING // the journal says it; the folder follows
};
struct travel {
	enum travel_phase phase;
	char name[FOLDER_PATH]; // of the session to be made; "": this one goes back
	int branch, left;       // the branch to go back on, and the one that is left
	long step, from;        // from: the step of the checkpoint it began at, or 0
	struct session *there;  // its engine is on the way; no folder
	struct journal path;    // the lines that lead there, for the other session
	double told;            // when the person was told last
	// of the other session
	char folder[FOLDER_PATH];
	int lock;
	struct manifest manifest;
	struct writer *writer;
	bool sent;   // its checkpoint is on the way
	bool broken; // it could not be written
	struct fault fault;
};

// A file of commands that is being read; see tour.c.
struct script {
	char *file;
	FILE *in;
	long line; // the present line; 0: none read yet
	bool tour; // it is a tour: commands are shown before their answers
	bool told; // it had other lines since the last break
	char *text;
	size_t room;
};

// A draft as it was before an edit.
struct draft_before {
	struct draft_before *next;
	bool none;        // there was none yet
	uint8_t choice[]; // as session's draft
};

struct session {
	char folder[FOLDER_PATH]; // "": none (a replay)
	char title[256];
	int lock;
	bool read_only;
	char read_only_why[128];
	struct follow follow;
	struct travel travel;
	bool unnamed; // made by this process without a name
	bool by_hand; // a command made it worth keeping (so do a change and a note)
	bool dropped; // it was begun only to be left for another one
	struct manifest manifest;
	struct config *began; // the settings it began with; as they are now the snapshot has them
	struct engine *engine;
	const struct engine_info *info;
	struct snapshot *snapshot;

	struct record *record; // history: steps 1..records
	uint8_t *modal;        // a row of info->slots per record
	long records, record_room;
	bool one_lane; // all belong to the same lane
	// Those of the lane shown, if there are other lanes.
	struct {
		int lane;
		long seen, records, room; // seen: so many of all were looked through
		struct record *record;
		uint8_t *modal;
	} shown;
	struct policy_row *policy; // that were asked for last, of one slot; NULL: none were yet
	int said_lane;             // the lane of the `lane N COMMAND` being carried out; 0: none

	struct journal journal;
	struct mark *mark; // the journal as marks
	int marks, mark_room;

	struct writer *writer; // NULL: read-only or a replay
	long saved_step;       // of the last state sent to the writer, -1: none
	int saved_entries;
	double saved_at;             // seconds, monotonic
	bool saving;                 // a state is on its way
	struct writer_state written; // as the session knows it
	double retried_at;
	struct acknowledgement *waiting, **last_waiting;
	bool save_failed; // the last one did not reach the disk

	struct pending *pending;
	enum journal_act wanted[UNDO_WAITING]; // undo and redo asked for while changes are pending
	int wants;
	struct play play;
	struct alones *alones; // choices trained alone; NULL: it was not looked for any yet
	struct wait wait;
	double pace; // steps a second, at most; 0: any number
	bool batch;
	bool allowed; // to run the command that scores choices

	struct costed costed;              // of the roofline figure
	uint8_t *draft;                    // option per slot, then a flag per slot: edited by hand, or following the modal choice
	struct draft_before *draft_before; // how it was before each edit, the last one first
	struct known_evaluation known[2];  // per enum split
	struct judged judged;
	struct beside *beside;  // a comparison that waits for images; NULL: none
	long test_looks;        // evaluations on the test images since it was opened
	struct layer_look look; // the last one; look_step -1: none was made
	long look_step;
	double *noise;               // of every layer's output, as the last look found it; NULL: none was made yet
	long noise_step;             // -1: it is not known
	struct layer_errors errors;  // as somebody looked last; noise NULL: nobody did
	double *error_noise;         // it
	struct happening *happening; // as they were asked for last
	char digest[JOURNAL_DIGEST_TEXT];
	long digest_step; // -1: none
	int digest_entries;

	struct message message[MESSAGES];
	int first_message, messages;
	unsigned news;

	struct plotter *plotter;
	struct measuring *measuring; // NULL: none
	struct plot_context plot;
	const struct slice_question *looked_at; // borrowed; NULL: none
	const struct script *script;            // of the present batch run; NULL: none
	long plot_line[PLOTS_ASKED];            // batch: the lines that asked for pictures, a ring from plots_done on
	unsigned plots_asked, plots_done;
	int plots_failed; // in this batch run
};

// ---- session.c ------------------------------------------------------------------------------------------------------

void session_say(struct session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_say_fault(struct session *, const struct fault *);
bool session_mark(struct session *, int entry); // marks a change on the curves; false: out of memory
bool session_mark_all(struct session *);        // marks those in force, and only these; false: out of memory
// Adds a line to the journal, with its mark, and gives it to the writer.
bool session_log(struct session *, const struct journal_line *, struct fault *);
// Says it once all lines logged so far are on the disk; at once if the session has no folder.
void session_acknowledge(struct session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void session_drop_waiting(struct session *);
// Takes the newest snapshot.
void session_fetch(struct session *);
// Turns until nothing is pending; for callers that may wait.
bool session_await_replies(struct session *, struct fault *);
// Turns until the writer has done all it can; returns false if something did not reach the disk.
bool session_flush(struct session *, struct fault *);

// ---- opening.c ------------------------------------------------------------------------------------------------------

// Makes a session without a folder, around an engine at `state`. NULL: a fault.
struct session *session_bare(const struct config *, const struct state *, struct fault *);
// Opens an existing session as it was saved last, to look at: without its lock, without a writer, and nothing runs in it. *branch: of its
// branches this one, at the last checkpoint that was kept on the way to its end; 0: the present one, and set to 0 where it is that. NULL: a fault.
struct session *session_peek(const char *name, int *branch, struct fault *);
void session_free(struct session *);
void session_make_read_only(struct session *, const char *why);
void session_forget_history(struct session *); // it is fetched again

// Fills the fault with why the session is read-only. Always returns false.
bool session_refuse_read_only(const struct session *, struct fault *);
// Takes over the journal and makes its marks.
bool session_adopt(struct session *, struct journal *, struct fault *);

// ---- follow.c -------------------------------------------------------------------------------------------------------

// Begins to follow process `owner`; `step`: that of the engine's checkpoint, -1: none.
void follow_begin(struct session *, long owner, long step);
void follow_turn(struct session *);
// Returns the seconds until it has something to do; negative: never.
double follow_in(const struct session *);

// Takes over the engine of `newer` and what it shows, and forgets what was shown before. `newer` gets the old one.
void session_take_engine(struct session *, struct session *newer);

// ---- travel.c -------------------------------------------------------------------------------------------------------

bool run_rewind(struct command_call *);
bool run_fork(struct command_call *);
void travel_turn(struct session *);
void travel_stop(struct session *); // takes back what was begun
// Returns false with a fault if the session is going back, and may not be changed meanwhile.
bool travel_allows(const struct session *, struct fault *);
int travel_fds(const struct session *, struct pollfd *, int *timeout_ms); // at most 2
// Returns the snapshot of the search that is under way to another step, else the session's.
const struct snapshot *travel_snapshot(const struct session *);

// ---- listing.c ------------------------------------------------------------------------------------------------------

void session_summary(const struct session *, struct summary *);
// Adds what is told when the session is left: its result, what is lost if not all was kept, and the command that opens it.
// `kept`: the step at which it opens again; -1: it no longer exists.
void session_farewell(const struct session *, long kept, struct string *);
bool run_sessions(struct command_call *);

// ---- requests.c -----------------------------------------------------------------------------------------------------

// session_pending makes the entry before a request is posted (NULL: a fault, out of memory); the engine writes into its `ticket`.
// session_posted keeps it if the engine took the request, otherwise frees it, and returns `taken`.
struct pending *session_pending(void (*done)(struct session *, struct pending *, struct reply *), struct fault *);
bool session_posted(struct session *, struct pending *, bool taken);
void session_take_replies(struct session *);
void session_drop_pending(struct session *);
bool session_change(struct session *, const struct change *, enum journal_act, int of, struct fault *);
bool session_undo(struct session *, enum journal_act, struct fault *);
// Returns the lane shown: commands that name no lane are about it.
int session_focus(const struct session *);
bool session_focus_on(struct session *, int lane, struct fault *);
// `called`: the format of a uniform choice; of any other, what it is called.
bool session_evaluate(struct session *, enum choice_kind, const char *called, const uint8_t *choice, enum split, struct fault *);
// Asks which images a choice gets right, by the weights as they are; the answer comes into s->judged (judge.c).
bool session_judge(struct session *, const uint8_t *choice, enum split, struct fault *);
void judged_free(struct judged *);
// Post a request for the state: to save it (asked: the person is told), or only for its digest.
bool session_save(struct session *, bool asked, struct fault *);
bool session_ask_digest(struct session *, bool told, struct fault *);
// Looks at all layers in all formats, which becomes the source's `errors`, then draws (as plot_context has it).
bool session_look_for(void *session, bool (*draw)(void *job, struct fault *), void (*drop)(void *job), void *job, struct fault *);
void session_forget_errors(struct session *);
bool session_saved(const struct session *); // nothing has happened since the last save
// Return false with a fault if nothing can be saved now: the session is read-only or still plays its journal. Changes are also
// refused if the journal cannot be written.
bool session_may_save(const struct session *, struct fault *);
bool session_may_change(const struct session *, struct fault *);

// ---- play.c ---------------------------------------------------------------------------------------------------------

// Begins to take the engine, which has followed `lines` lines of the journal, through the rest of them, each on its set of
// kernels; unless this is a replay, also to the set for the steps after them.
void play_begin(struct session *, int lines, bool strict);
void play_turn(struct session *);
// Returns the set of kernels that the search had after this many lines.
const char *play_kernels(const struct journal *, const struct manifest *, int lines);

// Gives the engine the answers that the journal holds; and where it is allowed, and the journal has been followed, the command.
bool play_answers(struct session *, struct fault *);
void play_allow(struct session *);

// ---- race/alone.c ---------------------------------------------------------------------------------------------------

// Begins to train a choice alone, from nothing, for so many steps, as a race of one in the session's folder; or tells what came of it, where that
// was done before. `called`: what the choice is called. One at a time.
bool alone_train(struct session *, const uint8_t *choice, long steps, const char *called, struct command_call *);
void alone_turn(struct session *);
bool alone_busy(const struct session *);                // one is under way
int alone_fds(const struct session *, struct pollfd *); // at most 1
// Those that were trained or are, with their costs by the present terms; returns how many.
int alone_all(struct session *, const struct trained_alone **);
void alone_stop(struct session *); // ends what is under way, and forgets all
// What is under way ends with the session. Whether there is such a thing, with the fault that says it; a line that tells of it as the session is
// left; and a message where one was broken off before.
bool alone_at_risk(const struct session *, struct fault *);
bool alone_farewell(const struct session *, struct string *);
void alone_tell_broken(struct session *);

// ---- report/compare.c -------------------------------------------------------------------------------------------------

void compare_turn(struct session *);                      // of the sessions that are compared with this one
int compare_fds(const struct session *, struct pollfd *); // at most SESSION_FDS_COMPARED
bool compare_busy(const struct session *);                // answers are missing
void compare_drop(struct session *);

// ---- wait.c ---------------------------------------------------------------------------------------------------------

bool wait_begin(struct session *, enum wait_kind, long goal, int count, char *const *words, struct fault *);
void wait_end(struct session *);
// Returns 1: it has happened; 0: not yet; -1: it will not happen, and the fault says why.
int wait_turn(struct session *, struct fault *);

// ---- script.c -------------------------------------------------------------------------------------------------------

// As script_place, for an earlier line; 0: the whole file.
void script_place_at(const struct script *, long line, struct fault *);

// ---- draft.c, export.c, ask.c: commands ---------------------------------------------------------------------------

// What is foretold of a draft that is committed is measured and kept, where there are images to measure it on (foretold.c).
void foretold_keep(struct session *, const uint8_t *draft);
// One that is kept, and what came.
struct prediction {
	struct foretold said;
	double came; // in the unit of said.change
	bool loss;   // that unit is minus the loss
	long images;
};
bool prediction_read(const char *text, struct prediction *); // of a line of the journal; false: it is no such line
bool run_foretold(struct command_call *);
bool run_draft(struct command_call *);
bool run_apply(struct command_call *);
bool run_paste(struct command_call *);
bool run_point(struct command_call *); // point.c
void draft_drop(struct session *);
// Makes a choice the draft.
bool draft_take(struct session *, struct command_call *, const uint8_t *choice);
// Pins every decision to its option in a choice, by one change. Returns false with a fault while there is a draft, which it would move.
bool draft_pin(struct session *, const uint8_t *choice, struct fault *);
// Takes back the last edit of the draft, which must exist.
bool draft_undo(struct session *, struct command_call *);
void draft_follow(struct session *); // slots without an edit follow the modal choice
bool run_export(struct command_call *);
bool export_report(struct session *, struct command_call *, const char *path);   // page.c
bool export_weights(struct session *, struct command_call *, const char *path);  // weights.c
bool export_outgoing(struct session *, struct command_call *, const char *path); // outgoing.c
// Writes a choice as `export policy` writes the result; `path` NULL: into the session's folder.
bool export_choice(struct session *, struct command_call *, const uint8_t *choice, const char *path);
bool run_status(struct command_call *);
bool run_layers(struct command_call *);
bool run_slots(struct command_call *); // slots.c
bool run_why(struct command_call *);   // why.c
bool run_front(struct command_call *);
bool run_knobs(struct command_call *);
bool run_price(struct command_call *);
bool run_print(struct command_call *);
bool run_expect(struct command_call *);
bool run_help(struct command_call *);
bool run_lane(struct command_call *);
bool run_in_lane(const struct command *); // whether it may follow `lane N`
// Says the string, without its last newline, and frees it. Returns false with a fault if memory ran out while it was built.
bool say_all(struct command_call *, struct string *);

bool run_roofline(struct command_call *); // roofline.c

// ---- timeline.c -----------------------------------------------------------------------------------------------------

const struct happening *session_happenings(void *session, int *count); // as figure_source has it

// ---- costed.c -------------------------------------------------------------------------------------------------------

// Opens the catalog's network that the session trains and fills s->costed.formats: the modal choice, then the draft.
bool session_costed(struct session *, struct fault *);
// Fills the roofline on a term's device, for the modal choice and for the draft, if there is one; for figures.
bool session_roofline(void *session, int term, struct roofline *, struct fault *);
// The same, and beside it the times that were measured of its layers; NULL: the device has none.
bool session_measured(void *session, int term, struct roofline *, const struct timed_layer **, struct fault *);
void costed_free(struct costed *);

// measuring.c: a measurement of the machine beside the workbench. Only while the search stands still.
bool measuring_begin(struct session *, const struct measure_question *, struct fault *);
bool measuring_cancel(struct session *, struct fault *);
int measuring_fds(const struct session *, struct pollfd *); // at most 1
void measuring_turn(struct session *);
void measuring_end(struct session *);

// ---- what several of them need -----------------------------------------------------------------------------------------------

// Returns a lane by its number; NULL: none.
const struct lane_state *session_lane(const struct snapshot *, int number);
// Returns the index of a cost term, -1: none.
int session_term(const struct session *, const char *name);
// As snapshot_meant; returns false with a fault (and the nearest name) if the word means no slot.
bool session_meant(const struct session *, const char *word, const char *options, bool *meant, struct fault *);
// Return whether the slots of a layer are one decision, and the layer's group (NULL: none).
bool session_tied(const struct session *, int layer);
const char *session_group(const struct session *, int layer);
// Writes what `text` gives for a layer's slots: "int4", or "int4/int8" if weights and activations are decided separately.
void session_both(const struct session *, int layer, const char *(*text)(const struct session *, int slot), char *buf,
	size_t size);
const char *session_modal_option(const struct session *, int slot);
const char *session_result_option(const struct session *, int slot);
// Copy the modal choice of the snapshot, and its result: an option per slot.
void session_modal(const struct session *, uint8_t *choice);
void session_result(const struct session *, uint8_t *choice);
// Adds the costs of a choice and, if `than` is not NULL, how far they are from those of `than`: "bops 201.3 M bit ops (+4.5 %),
// latency 84.2 ms/128 img, …".
bool session_tell_costs(const struct session *, struct string *, const uint8_t *choice, const uint8_t *than);
// Adds each changed target in the term's unit: "2 ms per 128 images on a100".
void session_tell_targets(struct session *, struct string *, const struct change *);
// Returns the option of a slot called `format`, -1: none.
int slot_option(const struct slot_info *, const char *format);

#endif
