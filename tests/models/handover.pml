/* The hand-over of callbacks in IommuRcu.Rcu, and the waking of the thread that runs them: none is lost, each runs, in the order it was queued. */

/*
 * What is modelled
 *   OWNERS threads that queue CALLS callbacks each, without a locked instruction, and the callback thread:
 *
 *       owner                                        callback thread
 *       announced := 1        (store buffer)         for each owner with something queued and nothing flipped
 *       f := flips                                       flips := flips + 1
 *       append to queue[f & 1] (store buffer)        process-wide barrier
 *       queued := queued + 1  (store buffer)         for each flipped owner that announces no section
 *       announced := 0        (store buffer)             take its other queue, and run it
 *       if awake = 0: woken := 1, under a lock       if nothing is left: awake := 0; process-wide barrier;
 *                                                        if still nothing is left: wait until woken; awake := 1
 *
 *   Grace periods are left out: here a callback runs as soon as it is taken. rcu.pml has them.
 *   A queue is the number of its first callback and how many follow: what one owner queues is numbered in order.
 *   Spin is sequentially consistent, so every owner has a store buffer, emptied at any time, by a process-wide barrier, and by the lock.
 *   The thread was started by another domain (Others), before an owner queued anything.
 *
 * What is checked
 *   safety         assert: what is taken continues what was taken before: nothing lost, doubled or out of order
 *   no lost waking the callback thread does not wait for ever while a callback is queued (an invalid end state)
 *
 * Broken variants, each refuted (tests/IommuRcu.Tests/Models runs them all):
 *   NO_FLIP_BARRIER    a push under way is not seen: the queue is taken under it
 *   IGNORE_ANNOUNCED   the queue is taken although its owner is in the middle of a push
 *   NO_SLEEP_BARRIER   the owner's store is not seen, nor by the owner that the thread went to sleep
 *   SLEEP_UNANNOUNCED  awake is cleared after the last look
 *   FORGET_WAKE        a waking that came before the wait is forgotten
 *   ADDED_BY_OWNER     the owner makes its domain known only where it has to wake the thread: another domain keeps it awake, then it sleeps
 */

#ifndef OWNERS
#define OWNERS 2
#endif
#ifndef CALLS
#define CALLS 2
#endif

/* In memory. A queue is [owner * 2 + which]. */
bool Announced[OWNERS];
byte Flips[OWNERS];
byte Queued[OWNERS];
byte First[OWNERS * 2];
byte Count[OWNERS * 2];
bool Awake;
bool Woken;
bool Known;                                 /* the callback thread has the owners' domain on its list */

#define ANNOUNCE 0
#define APPEND0 1                           /* to queue 0 or 1 */
#define APPEND1 2
#define QUEUE 3
chan Buffer[OWNERS] = [4] of { byte, byte, byte };

byte Ran[OWNERS];                           /* callbacks that ran, and the number of the last one */
byte Finished;                              /* owners that queue no more */

/* The oldest buffered store of owner i becomes visible. */
inline Drain(i)
{
    if
    :: Buffer[i]?[ANNOUNCE, _, _] -> Buffer[i]?ANNOUNCE, Announced[i], _
    :: Buffer[i]?[APPEND0, _, _] -> Buffer[i]?APPEND0, First[i * 2], Count[i * 2]
    :: Buffer[i]?[APPEND1, _, _] -> Buffer[i]?APPEND1, First[i * 2 + 1], Count[i * 2 + 1]
    :: Buffer[i]?[QUEUE, _, _] -> Buffer[i]?QUEUE, Queued[i], _
    fi
}

inline Fence(i)
{
    do
    :: nempty(Buffer[i]) -> Drain(i)
    :: empty(Buffer[i]) -> break
    od
}

inline ProcessWideBarrier()
{
    i = 0;
    do
    :: i < OWNERS -> atomic { Fence(i); i++ }
    :: else -> break
    od;
    i = 0
}

proctype DrainBuffer(byte i)
{
end:
    do
    :: atomic { nempty(Buffer[i]) -> Drain(i) }
    od
}

proctype Owner(byte i)
{
    byte number = 1;
    byte q;
    byte f;
    byte c;

    do
    :: number <= CALLS ->
        Buffer[i]!ANNOUNCE, 1, 0;
        q = Flips[i] & 1;
        /* Its own stores into this queue are never still buffered here: the buffer holds one push at most. */
        atomic { !(Buffer[i]??[APPEND0, _, _]) && !(Buffer[i]??[APPEND1, _, _]) -> f = First[i * 2 + q]; c = Count[i * 2 + q] }
        atomic {
            if
            :: c == 0 -> f = number
            :: else
            fi;
            Buffer[i]!(q + APPEND0), f, (c + 1);
            f = 0; c = 0; q = 0
        }
        Buffer[i]!QUEUE, number, 0;
        Buffer[i]!ANNOUNCE, 0, 0;
        number++;
        if
        :: Awake
        :: !Awake ->
            atomic {                        /* the lock: a full fence */
                Fence(i);
#ifdef ADDED_BY_OWNER
                Known = true;
#endif
                Woken = true
            }
        fi
    :: else -> break
    od;
    Finished++
}

/* Whether the callback thread sees something that has not run. */
#if OWNERS > 1
#define HAS_WORK (Known && (Queued[0] != Ran[0] || Queued[1] != Ran[1]))
#define ALL_RAN (Finished == OWNERS && Ran[0] == CALLS && Ran[1] == CALLS)
#else
#define HAS_WORK (Known && Queued[0] != Ran[0])
#define ALL_RAN (Finished == OWNERS && Ran[0] == CALLS)
#endif

active proctype CallbackThread()
{
    byte i;
    byte n;
    byte old;
    bool flipped;
    bool Flipped[OWNERS];

#ifndef ADDED_BY_OWNER
    Known = true;
#endif
    Awake = true;
    do
    :: HAS_WORK ->
        flipped = false;
        do
        :: i < OWNERS ->
            atomic {
                if
                :: !Flipped[i] && Queued[i] != Ran[i] -> Flips[i] = (Flips[i] + 1) & 1; Flipped[i] = true; flipped = true
                :: else
                fi;
                i++
            }
        :: else -> break
        od;
        i = 0;
#ifndef NO_FLIP_BARRIER
        if
        :: flipped -> ProcessWideBarrier()
        :: else
        fi;
#endif
        do
        :: i < OWNERS ->
            if
#ifdef IGNORE_ANNOUNCED
            :: Flipped[i] ->
#else
            :: Flipped[i] && !Announced[i] ->
#endif
                old = i * 2 + ((Flips[i] + 1) & 1);
                n = Count[old];
                atomic {
                    assert(n == 0 || First[old] == Ran[i] + 1);
                    Ran[i] = Ran[i] + n;
                    Flipped[i] = false;
                    n = 0
                }
                atomic { Count[old] = 0; First[old] = 0; old = 0 }
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0
    :: !HAS_WORK ->
#ifndef SLEEP_UNANNOUNCED
        Awake = false;
#endif
#ifdef FORGET_WAKE
        Woken = false;
#endif
#ifndef NO_SLEEP_BARRIER
        ProcessWideBarrier();
#endif
        if
        :: HAS_WORK
        :: else ->
#ifdef SLEEP_UNANNOUNCED
            Awake = false;
#endif
#ifdef FORGET_WAKE
            Woken = false;
#endif
            if
            :: atomic { Woken -> Woken = false }
            :: ALL_RAN -> break
            fi
        fi;
        Awake = true
    od
}

init
{
    byte o;
    atomic {
        do
        :: o < OWNERS -> run Owner(o); run DrainBuffer(o); o++
        :: else -> break
        od
    }
}
