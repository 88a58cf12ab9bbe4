// Protected references to managed objects, by the calls of Rcu. Members of the instance, whose section it is that protects what they read.
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;

namespace IommuRcu;

public sealed unsafe partial class SleepableRcu
{
    /// <summary>Reads a protected reference, to be followed inside the section.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="location">Where the reference is.</param>
    /// <returns>The object, fully visible as of its publication, or null.</returns>
    [RequiresReadLock]
    [return: RcuProtected]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T? Dereference<T>(ref readonly T? location)
        where T : class => Volatile.Read(ref Unsafe.AsRef(in location)); // acquire: pairs with the release in Assign

    /// <summary>Reads a protected reference as its writer, whose lock is held: no section is needed.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="location">Where the reference is.</param>
    /// <returns>The object or null.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T? DereferenceProtected<T>(ref readonly T? location)
        where T : class => location; // plain: the writer's lock orders it after the last write

    /// <summary>Reads the value of a protected reference for a null test or a comparison; it must not be followed.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="location">Where the reference is.</param>
    /// <returns>The reference.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T? ReadPointer<T>(ref readonly T? location)
        where T : class => Volatile.Read(ref Unsafe.AsRef(in location));

    /// <summary>Publishes an object: who dereferences the location from now on sees it as it is now.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="location">Where the reference is.</param>
    /// <param name="value">The object, complete; or null.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Assign<T>(ref T? location, [Publishes] T? value)
        where T : class => Volatile.Write(ref location, value);

    /// <summary>Publishes an object and returns the one that it replaces, which no new reader will reach.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="location">Where the reference is.</param>
    /// <param name="value">The object, complete; or null.</param>
    /// <returns>What was there.</returns>
    [return: Unlinks]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T? Exchange<T>(ref T? location, [Publishes] T? value)
        where T : class => Interlocked.Exchange(ref location, value);

    /// <summary>Publishes an object if the location still holds the expected one.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="location">Where the reference is.</param>
    /// <param name="value">The object, complete; or null.</param>
    /// <param name="comparand">What must be there.</param>
    /// <returns>What was there; the object was published if that is <paramref name="comparand"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T? CompareExchange<T>(ref T? location, T? value, T? comparand)
        where T : class => Interlocked.CompareExchange(ref location, value, comparand);
}
